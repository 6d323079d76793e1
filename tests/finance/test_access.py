"""Who gets in, and who does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from console.finance import totp
from console.finance.words import KO
from tests.finance.conftest import PASSWORD, Browser

RFC_SECRET = b"12345678901234567890"
PAGES = (
    "/finance/", "/finance/ledger", "/finance/statements", "/finance/close", "/finance/adjustments", "/finance/prices",
    "/finance/rates", "/finance/wallets", "/finance/receivables", "/finance/reconciliation", "/finance/audit-log",
    "/finance/top-ups",
)  # fmt: skip


@pytest.mark.parametrize(("now", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_rfc_6238(now: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, now) == code


def test_a_code_works_once_and_for_a_minute_and_a_half() -> None:
    now = 1_700_000_010
    code = totp.code_at(RFC_SECRET, now)
    step = totp.accepted_step(RFC_SECRET, code, now=now + 30, last_step=0)
    assert step == now // 30
    assert totp.accepted_step(RFC_SECRET, code, now=now, last_step=step) is None
    assert totp.accepted_step(RFC_SECRET, code, now=now + 61, last_step=0) is None


def test_a_sealed_secret_opens_for_its_person_only() -> None:
    sealed = totp.seal(RFC_SECRET, staff_id="a")
    assert (totp.unseal(sealed, staff_id="a"), totp.unseal(sealed, staff_id="b")) == (RFC_SECRET, None)


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_a_log_in(path: str, migrated: None) -> None:
    answer = Browser().get(path)
    assert (answer.status, answer.headers["location"]) == (303, "/finance/login")


def test_password_and_code_are_both_needed(person: Callable[..., Browser]) -> None:
    ann = person("both@example.com", "viewer")
    for password, code in (("wrong", ann.code(steps=1)), (PASSWORD, "000000"), (PASSWORD, ann.used)):
        again = Browser()
        refused = again.post("/finance/login", email="both@example.com", password=password, code=code)
        assert refused.status == 403  # the last one: this code was used to enrol
    entered = Browser().post("/finance/login", email="BOTH@example.com", password=PASSWORD, code=ann.code(steps=1))
    assert entered.status == 303


def test_guessing_is_stopped_even_when_it_guesses_right(person: Callable[..., Browser]) -> None:
    ann = person("guess@example.com", "viewer")
    for _ in range(5):
        Browser().post("/finance/login", email="guess@example.com", password="wrong", code="000000")
    refused = Browser().post("/finance/login", email="guess@example.com", password=PASSWORD, code=ann.code(steps=1))
    assert refused.status == 403


def test_a_link_works_once(migrated: None, person: Callable[..., Browser]) -> None:
    from console.facade import invite

    first = invite("once@example.com", roles=["viewer"])
    second = invite("once@example.com", roles=["viewer"])
    assert Browser().get(first).status == 410
    person("once@example.com", "viewer")
    assert Browser().get(second).status == 410


def test_logging_out_ends_the_session_on_the_server(person: Callable[..., Browser]) -> None:
    ann = person("out@example.com", "viewer")
    kept = dict(ann.cookies)
    ann.post("/finance/logout")
    ann.cookies = kept
    assert ann.get("/finance/").status == 303


def test_a_form_from_elsewhere_is_refused(person: Callable[..., Browser]) -> None:
    ann = person("csrf@example.com", "operator")
    refused = ann._send("POST", "/finance/adjustments", b"tenant=x", {
        "content-type": "application/x-www-form-urlencoded", "content-length": "8",
    })  # fmt: skip
    assert refused.status == 403


def test_roles_limit_what_is_done(person: Callable[..., Browser]) -> None:
    viewer, approver = person("v@example.com", "viewer"), person("a@example.com", "approver")
    assert viewer.get("/finance/audit-log").status == 403
    assert viewer.post("/finance/adjustments", tenant="x", amount="1").status == 403
    assert viewer.post("/finance/close/close?month=1980-01").status == 403
    assert approver.post("/finance/prices/1/draft", effective_from="2030-01-01T00:00:00Z").status == 403
    assert person("au@example.com", "auditor").get("/finance/audit-log").status == 200


def test_a_forgotten_browser_is_logged_out(person: Callable[..., Browser]) -> None:
    from datetime import UTC, datetime, timedelta

    from console.models import StaffSession

    ann = person("idle@example.com", "viewer")
    StaffSession.objects.using("system").filter(staff__email="idle@example.com").update(
        seen_at=datetime.now(UTC) - timedelta(minutes=31)
    )
    assert ann.get("/finance/").status == 303


def test_every_page_is_strict_and_speaks_korean(person: Callable[..., Browser]) -> None:
    ann = person("ko@example.com", "auditor", "operator", "approver", "pricing_admin", language="ko-KR,ko;q=0.9")
    for path in PAGES:
        answer = ann.get(path)
        assert answer.status == 200, (path, answer.text)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert 'lang="ko"' in answer.text
        assert "원장" in answer.text


def test_no_word_of_the_pages_lacks_its_korean() -> None:
    folder = Path(totp.__file__).parent
    used = set()
    for path in (folder / "templates").glob("*.html"):
        used |= {name.replace("_", " ") for name in re.findall(r"say\.(\w+)", path.read_text())}
    for path in folder.glob("*.py"):
        used |= set(re.findall(r'(?:visit\.say|table_page\(visit, )\(?"([^"]+)"', path.read_text()))
    assert not sorted(used - {"EMAIL", "Topups"} - set(KO))
