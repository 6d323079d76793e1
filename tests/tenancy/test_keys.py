"""API keys in this process: typos cost no database, rotation overlaps, nothing widens itself."""

from __future__ import annotations

import base64
import dataclasses
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import auth, keys
from tenants import peppers as keyring
from tenants.errors import AddressRefused, KeyRefused, TenantSuspended, WiderThanSelf
from tenants.facade import authenticate, cached, check_may_start, create_key, revoke_key, rotate_key
from tenants.models import ApiKey, Tenant

HERE = "127.0.0.1"
TYPOS = 20_000


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    auth.forget_keys()
    yield
    auth.forget_keys()
    keyring.peppers.cache_clear()


def _is_refused(secret: str) -> bool:
    auth.forget_keys()
    try:
        authenticate(secret, address=HERE)
    except KeyRefused:
        return True
    return False


def _typos(secret: str) -> Iterator[str]:
    start = len("parl_live_")
    for place in range(start, len(secret)):
        for letter in keys._ALPHABET:
            if letter != secret[place]:
                yield secret[:place] + letter + secret[place + 1 :]


def test_every_typo_of_one_letter_is_refused_without_the_database(migrated: None) -> None:
    typos = [typo for _ in range(8) for typo in _typos(keys.generate(livemode=True))][:TYPOS]
    assert len(typos) == TYPOS
    with CaptureQueriesContext(connection) as queries:
        for typo in typos:
            assert cached(typo, address=HERE) is None
            with pytest.raises(KeyRefused):
                authenticate(typo, address=HERE)
    assert len(queries) == 0


def test_swapped_neighbours_are_refused_without_the_database(migrated: None) -> None:
    secret = keys.generate(livemode=True)
    for place in range(10, len(secret) - 1):
        typo = secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :]
        assert typo == secret or not keys.is_well_formed(typo)


@pytest.mark.parametrize("key", ["", "parl_live_", "열쇠" * 20, "\x00" * 59, "parl_prod_" + "0" * 49, "x" * 1_000_000])
def test_what_is_no_key_is_refused_without_the_database(migrated: None, key: str) -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(KeyRefused):
        authenticate(key, address=HERE)
    assert len(queries) == 0


def test_a_well_formed_key_that_nobody_has_is_refused(alice: Any) -> None:
    assert _is_refused(keys.generate(livemode=True))
    assert not _is_refused(alice.secret)


def test_a_key_is_not_in_the_database(alice: Any) -> None:
    row = ApiKey.objects.using("owner").get(pk=alice.caller.key_id)
    stored = repr([getattr(row, field.attname) for field in ApiKey._meta.fields])
    assert alice.secret not in stored
    assert alice.secret[10:-4] not in stored


def test_rotation_overlaps(alice: Any) -> None:
    new = rotate_key(alice.caller.key_id, overlap=timedelta(hours=1))
    assert not _is_refused(alice.secret)
    assert authenticate(new.secret, address=HERE).scopes == alice.caller.scopes
    ends = ApiKey.objects.using("owner").get(pk=alice.caller.key_id).expires_at
    assert ends is not None
    assert timedelta(minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=1)


def test_a_rotation_without_overlap_ends_the_old_key(alice: Any) -> None:
    new = rotate_key(alice.caller.key_id, overlap=timedelta(0))
    assert (_is_refused(alice.secret), _is_refused(new.secret)) == (True, False)


@pytest.mark.parametrize("overlap", [timedelta(days=-1), timedelta(days=7, seconds=1)])
def test_an_overlap_is_at_most_a_week(alice: Any, overlap: timedelta) -> None:
    with pytest.raises(ValueError, match="overlap"):
        rotate_key(alice.caller.key_id, overlap=overlap)


def test_a_rotated_key_does_not_outlive_its_first_end(alice: Any) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=5)
    made = create_key(alice.id, expires_at=ends)
    assert rotate_key(made.id, overlap=timedelta(hours=1)).expires_at == ends
    assert ApiKey.objects.using("owner").get(pk=made.id).expires_at == ends


def test_a_revoked_key_is_refused_at_once_and_within_five_seconds_where_it_is_remembered(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticate(alice.secret, address=HERE)
    assert revoke_key(alice.caller.key_id, actor="test")
    assert not revoke_key(alice.caller.key_id, actor="test")
    now = auth.time.monotonic()
    monkeypatch.setattr(auth.time, "monotonic", lambda: now + 5.01)
    assert cached(alice.secret, address=HERE) is None
    with pytest.raises(KeyRefused):
        authenticate(alice.secret, address=HERE)


def test_an_expired_key_is_refused_even_where_it_is_remembered(alice: Any) -> None:
    made = create_key(alice.id, expires_at=datetime.now(UTC) + timedelta(hours=1))
    authenticate(made.secret, address=HERE)
    known = auth._cache[auth._digest(made.secret)]
    known.ends_at = datetime.now(UTC) - timedelta(milliseconds=1)
    with pytest.raises(KeyRefused):
        cached(made.secret, address=HERE)


@pytest.mark.parametrize(
    ("allowed", "address", "fine"),
    [
        (["203.0.113.0/24"], "203.0.113.9", True), (["203.0.113.0/24"], "203.0.114.9", False),
        (["2001:db8::/32"], "2001:db8::1", True), (["2001:db8::/32"], "203.0.113.9", False),
        (["203.0.113.9"], "203.0.113.9", True), (["203.0.113.9"], "", False), (["0.0.0.0/0"], "::1", False),
        (["203.0.113.9"], "203.0.113.9, 8.8.8.8", False),
    ],
)  # fmt: skip
def test_a_key_works_from_its_addresses_only(alice: Any, allowed: list[str], address: str, fine: bool) -> None:
    made = create_key(alice.id, ip_allow=allowed)
    authenticate(made.secret, address=allowed[0].partition("/")[0])  # remembered from now on
    for check in (cached, authenticate):
        if fine:
            assert check(made.secret, address=address) is not None
        else:
            with pytest.raises(AddressRefused):
                check(made.secret, address=address)


def _pepper(version: int) -> str:
    return f"{version}:{base64.urlsafe_b64encode(random.Random(version).randbytes(32)).decode()}"


def test_an_old_pepper_still_verifies_and_the_new_one_makes_new_keys(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = settings.KEY_PEPPERS
    monkeypatch.setattr(settings, "KEY_PEPPERS", f"{first},{_pepper(9)}")
    keyring.peppers.cache_clear()
    assert not _is_refused(alice.secret)
    made = create_key(alice.id)
    assert ApiKey.objects.using("owner").get(pk=made.id).pepper_version == 9
    assert not _is_refused(made.secret)

    monkeypatch.setattr(settings, "KEY_PEPPERS", _pepper(9))  # the old one is retired
    keyring.peppers.cache_clear()
    assert (_is_refused(alice.secret), _is_refused(made.secret)) == (True, False)


def test_a_wrong_pepper_setting_does_not_show_itself() -> None:
    with pytest.raises(ValueError, match="must look like") as caught:
        keys.parse_versions("1:c2hvcnQ")
    assert "c2hvcnQ" not in str(caught.value)


def _narrow(alice: Any, *scopes: str) -> Any:
    return dataclasses.replace(alice.caller, scopes=frozenset(scopes))


def test_a_key_cannot_mint_beyond_itself(alice: Any, charlie: Any) -> None:
    narrow = _narrow(alice, "api_keys:manage", "usage:read")
    assert create_key(alice.id, scopes=["usage:read"], by=narrow).scopes == ("usage:read",)
    before = ApiKey.objects.using("owner").count()
    for wider in (
        {"scopes": ["usage:read", "transcriptions:write"]}, {"scopes": ["usage:read"], "livemode": False}, {},
    ):  # fmt: skip
        with pytest.raises(WiderThanSelf):
            create_key(alice.id, by=narrow, **wider)
    with pytest.raises(WiderThanSelf):
        create_key(charlie.id, scopes=["usage:read"], by=narrow)
    assert ApiKey.objects.using("owner").count() == before


def test_a_key_cannot_rotate_a_wider_or_foreign_one(alice: Any, charlie: Any) -> None:
    for other in (_narrow(alice, "api_keys:manage"), charlie.caller):
        with pytest.raises(WiderThanSelf):
            rotate_key(alice.caller.key_id, overlap=timedelta(0), by=other)
    assert not _is_refused(alice.secret)


def test_a_scope_that_does_not_exist_is_refused(alice: Any) -> None:
    with pytest.raises(ValueError, match="unknown scopes"):
        create_key(alice.id, scopes=["root"])


def test_a_suspended_tenant_may_come_in_and_start_nothing(new_tenant: Callable[..., Any]) -> None:
    someone = new_tenant()
    Tenant.objects.using("owner").filter(pk=someone.id).update(status="suspended")
    auth.forget_keys()
    with pytest.raises(TenantSuspended):
        check_may_start(authenticate(someone.secret, address=HERE))
    Tenant.objects.using("owner").filter(pk=someone.id).update(status="closed")
    assert _is_refused(someone.secret)
