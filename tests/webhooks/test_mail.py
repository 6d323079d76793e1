"""Alerts by e-mail: written with the change, in Korean or English, sent at least once with one Message-ID."""

from __future__ import annotations

import json
import smtplib
from typing import Any

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.db import connections

from apikit import ids
from tests.webhooks.steps import send, shown
from webhooks import mail
from webhooks.alerts import AlertAddressWrong
from webhooks.facade import set_alert_addresses
from webhooks.health_rules import DISABLE_AFTER_S
from webhooks.mail_texts import LANGUAGES, TEXTS

MAILS = "SELECT *, extract(epoch FROM due_at - now())::float AS wait_s FROM mail_outbox ORDER BY id"


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A mail server that keeps what it gets."""
    monkeypatch.setattr(settings, "SENDS_MAIL", True)
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    monkeypatch.setattr(settings, "DEFAULT_FROM_EMAIL", "parlance@example.com")
    monkeypatch.setattr(outbox, "outbox", [], raising=False)
    return outbox.outbox  # type: ignore[no-any-return, attr-defined]


@pytest.fixture
def disabled(alice: Any, endpoint: Any, receiver: Any, publish: Any) -> Any:
    """Switches Alice's endpoint off by failures of five days."""

    def do() -> None:
        receiver.reply.status = 500
        publish()
        send()
        _system(
            "UPDATE webhook_endpoint SET failing_since = now() - %s * interval '1 second', consecutive_failures = 9,"
            " next_due_at = now()",
            DISABLE_AFTER_S,
        )
        _system("UPDATE delivery SET next_attempt_at = now()")
        send()

    return do


def tell(person: Any, *addresses: str, language: str = "en") -> None:
    set_alert_addresses(person.id, addresses=addresses, language=language, actor="operator")


def test_everybody_who_is_named_is_told(
    alice: Any, charlie: Any, endpoint: Any, disabled: Any, mail_server: Any
) -> None:
    tell(alice, "ops@example.com", "night@example.com")
    tell(charlie, "charlie@example.com")
    disabled()
    assert mail.send_mails() == 2
    assert sorted(each.to[0] for each in mail_server) == ["night@example.com", "ops@example.com"]
    [one, _] = mail_server
    assert one.from_email == "parlance@example.com"
    assert shown(endpoint) in one.subject
    assert "only failed since" in one.body
    assert "(live)" in one.body
    assert mail.send_mails() == 0


def test_it_is_written_in_korean_for_those_who_read_it(alice: Any, disabled: Any, mail_server: Any) -> None:
    tell(alice, "ops@example.com", language="ko")
    disabled()
    mail.send_mails()
    assert "꺼졌습니다" in mail_server[0].subject
    assert "(운영)" in mail_server[0].body


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_filled_in_every_language(language: str) -> None:
    templates = {template for template, _ in TEXTS}
    for template in templates:
        letter = mail.Letter(
            id=_uuid(), tenant_id=_uuid(), template=template, language=language, recipient=b"", attempt=1,
            details={"endpoint_id": str(_uuid()), "livemode": False, "since": "2026-11-23T01:02:03", "reason": "gone"},
        )  # fmt: skip
        made = mail.message(letter, address="a@example.com")
        assert "{" not in made.subject + made.body
        assert len(made.subject) > 10


def test_a_killed_mailer_sends_again_with_the_same_message_id(
    alice: Any, disabled: Any, mail_server: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_: str) -> None:
        raise Killed

    tell(alice, "ops@example.com")
    disabled()
    with monkeypatch.context() as patch:
        patch.setattr(mail, "failpoint", die)
        with pytest.raises(Killed):
            mail.send_mails()
    assert mail.send_mails() == 0  # its lease runs
    assert 60 < rows(MAILS)[0]["wait_s"] <= mail.LEASE_S
    _system("UPDATE mail_outbox SET due_at = now()")
    assert mail.send_mails() == 1
    first, second = (each.message()["Message-ID"] for each in mail_server)
    assert first == second == f"<{rows(MAILS)[0]['id']}@127.0.0.1>"


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_after_a_day(
    alice: Any, disabled: Any, mail_server: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise smtplib.SMTPServerDisconnected("ops@example.com")

    tell(alice, "ops@example.com")
    disabled()
    monkeypatch.setattr(mail, "get_connection", refuse)
    for wait_s in mail.RETRY_S:
        assert mail.send_mails() == 1
        assert wait_s - 5 < rows(MAILS)[0]["wait_s"] <= wait_s
        _system("UPDATE mail_outbox SET due_at = now()")
    assert mail.send_mails() == 1
    [row] = rows(MAILS)
    assert (row["due_at"], row["sent_at"], row["last_error"]) == (None, None, "SMTPServerDisconnected")


def test_addresses_are_sealed_and_forgotten_with_the_success(
    alice: Any, disabled: Any, mail_server: Any, rows: Any, capfd: Any, caplog: Any
) -> None:
    tell(alice, "canary@example.com")
    disabled()
    stored = str(rows("SELECT t::text FROM alert_address t") + rows("SELECT t::text FROM mail_outbox t"))
    assert "canary" not in stored
    assert b"canary".hex() not in stored
    mail.send_mails()
    assert bytes(rows(MAILS)[0]["recipient"]) == b""
    assert "canary" not in capfd.readouterr().out + caplog.text


def test_without_a_mail_server_nothing_is_written(alice: Any, disabled: Any, rows: Any) -> None:
    assert settings.SENDS_MAIL is False
    tell(alice, "ops@example.com")
    disabled()
    assert rows(MAILS) == []


def test_a_change_that_is_not_stored_sends_no_mail(
    alice: Any, endpoint: Any, disabled: Any, mail_server: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks import results

    tell(alice, "ops@example.com")

    def refuse(*_: Any, **__: Any) -> None:
        if rows("SELECT * FROM webhook_endpoint WHERE NOT enabled"):
            raise RuntimeError("the log is away")

    monkeypatch.setattr(results, "_keep_successes", refuse)
    with pytest.raises(RuntimeError):
        disabled()
    connections["system"].close()
    assert rows(MAILS) == []


def test_new_addresses_replace_the_old_and_an_empty_list_ends_it(
    alice: Any, disabled: Any, mail_server: Any, rows: Any
) -> None:
    tell(alice, "old@example.com")
    tell(alice, "new@example.com", "new@example.com")
    assert len(rows("SELECT * FROM alert_address")) == 1
    tell(alice)
    disabled()
    assert rows(MAILS) == []
    actions = rows("SELECT after->>'addresses' AS n FROM audit_entry WHERE action = 'alert_address.set'"
                   " AND tenant_id = %s ORDER BY id", [alice.id])  # fmt: skip
    assert [each["n"] for each in actions] == ["1", "1", "0"]


@pytest.mark.parametrize(
    ("addresses", "language"),
    [(["nobody"], "en"), (["a@example.com\nBcc: b@example.com"], "en"), (["a@example.com"], "fr"),
     ([f"a{number}@example.com" for number in range(21)], "en")],
)  # fmt: skip
def test_what_is_no_address_or_language_is_refused(alice: Any, addresses: list[str], language: str) -> None:
    with pytest.raises(AlertAddressWrong):
        set_alert_addresses(alice.id, addresses=addresses, language=language, actor="operator")


def test_charlie_sees_no_address_of_alice(alice: Any, charlie: Any) -> None:
    from tenants.facade import tenant_context
    from webhooks.models import AlertAddress

    tell(alice, "ops@example.com")
    with tenant_context(charlie.tenant):
        assert AlertAddress.objects.count() == 0
    with tenant_context(alice.tenant):
        assert AlertAddress.objects.count() == 1


def test_an_operator_names_the_addresses_on_the_command_line(alice: Any) -> None:
    from typer.testing import CliRunner

    from workers.cli.alerts import app

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    name = ids.show(ids.TENANT, alice.id)
    assert run("set", name, "--email", "ops@example.com", "--language", "ko").exit_code == 0
    shown_now = json.loads(run("show", name, "--json").output)
    assert shown_now["data"] == [{"email": "ops@example.com", "language": "ko"}]
    assert shown_now["mail_server"] is False
    assert run("set", name, "--email", "nobody").exit_code == 2
    assert "Nobody" in run("set", name).output


def test_a_url_names_the_mail_server() -> None:
    from config.env import Reader, SettingError

    def read(url: str) -> Any:
        return Reader({"MAIL": url} if url else {}).mail("MAIL")

    assert read("") is None
    assert read("console:").backend.endswith("console.EmailBackend")
    server = read("smtp://me%40example.com:p%20w@mail.example.com")
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.com",
        587,
        "me@example.com",
        "p w",
    )
    assert (server.starttls, server.tls) == (True, False)
    assert (read("smtps://mail.example.com").port, read("smtps://mail.example.com").tls) == (465, True)
    assert read("smtp://127.0.0.1:25?tls=off").starttls is False
    assert "p w" not in repr(server)
    with pytest.raises(SettingError, match="MAIL must look like"):
        read("mail.example.com:25")


def _uuid() -> Any:
    from apikit.ids import new_id

    return new_id()


def _system(sql: str, *values: Any) -> None:
    with connections["system"].cursor() as cursor:
        cursor.execute(sql, values)
