"""Secrets at rest: bound to their place, wrapped by a master key that can be changed, gone with the data key."""

from __future__ import annotations

import base64
import dataclasses
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from tenants import vault
from tenants.facade import Place, VaultError, VaultUnavailable, seal, tenant_context, unseal
from tenants.models import DataKey
from tests.fakes.kms import forget as _forget
from tests.fakes.kms import master_key_in_kms
from tests.fakes.moto import moto
from tests.tenancy.catalog import rows

SECRET = b"whsec_canary-5511"


@pytest.fixture(autouse=True)
def _nothing_remembered(migrated: None) -> Iterator[None]:
    """Every data key as it was: the other tests' tenants are in the same database."""
    kept = list(DataKey.objects.using("owner"))
    _forget()
    yield
    for row in kept:
        row.save(using="owner")
    _forget()


def _place(someone: Any) -> Place:
    return Place(tenant_id=someone.id, table="webhook_target", column="secret", row=str(uuid4()))


def test_a_secret_opens_where_it_was_sealed(alice: Any) -> None:
    place = _place(alice)
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
        assert unseal(sealed, place=place) == SECRET
        assert seal(SECRET, place=place) != sealed
    assert SECRET not in sealed


@pytest.mark.parametrize("change", [{"table": "other"}, {"column": "previous_secret"}, {"row": "another"}])
def test_a_secret_does_not_open_at_another_place(alice: Any, change: dict[str, str]) -> None:
    place = _place(alice)
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
        with pytest.raises(VaultError):
            unseal(sealed, place=dataclasses.replace(place, **change))  # type: ignore[arg-type]  # texts only


def test_a_secret_does_not_open_for_another_tenant(alice: Any, charlie: Any) -> None:
    place = _place(alice)
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
    with tenant_context(charlie.tenant):
        with pytest.raises(VaultError):
            unseal(sealed, place=dataclasses.replace(place, tenant_id=charlie.id))
        _forget()
        with pytest.raises(VaultError):
            unseal(sealed, place=place)  # row-level security hides even the wrapped key


@pytest.mark.parametrize("place_of_flip", [0, 4, 20, -1])
def test_a_changed_ciphertext_does_not_open(alice: Any, place_of_flip: int) -> None:
    place = _place(alice)
    with tenant_context(alice.tenant):
        sealed = bytearray(seal(SECRET, place=place))
        sealed[place_of_flip] ^= 1
        with pytest.raises(VaultError):
            unseal(bytes(sealed), place=place)


def test_a_data_key_moved_to_another_tenant_does_not_open(alice: Any, charlie: Any) -> None:
    stolen = DataKey.objects.using("owner").get(tenant_id=alice.id).wrapped
    DataKey.objects.using("owner").filter(tenant_id=charlie.id).update(wrapped=stolen)
    with tenant_context(charlie.tenant), pytest.raises(VaultError):
        seal(SECRET, place=_place(charlie))


def _master(version: int) -> str:
    return f"{version}:{base64.urlsafe_b64encode(random.Random(version).randbytes(32)).decode()}"


def test_a_master_key_can_be_changed(alice: Any, charlie: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place, first = _place(alice), settings.MASTER_KEYS
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
    # What broken tests left cannot be wrapped anew, and our two are enough.
    DataKey.objects.using("owner").exclude(tenant_id__in=[alice.id, charlie.id]).delete()
    monkeypatch.setattr(settings, "MASTER_KEYS", f"{first},{_master(7)}")
    _forget()
    assert vault.rewrap_all() == 2
    assert vault.rewrap_all() == 0
    monkeypatch.setattr(settings, "MASTER_KEYS", _master(7))  # the old one is retired
    _forget()
    with tenant_context(alice.tenant):
        assert unseal(sealed, place=place) == SECRET
    DataKey.objects.using("owner").filter(tenant_id__in=[alice.id, charlie.id]).delete()  # nobody else has version 7


def test_a_missing_master_key_is_told_without_showing_one(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MASTER_KEYS", _master(7))
    _forget()
    with tenant_context(alice.tenant), pytest.raises(VaultError, match="master key 1 is missing") as caught:
        seal(SECRET, place=_place(alice))
    assert _master(7)[2:] not in str(caught.value)


def test_an_erased_data_key_closes_every_secret(alice: Any, charlie: Any) -> None:
    place, other = _place(alice), _place(charlie)
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
    with tenant_context(charlie.tenant):
        kept = seal(SECRET, place=other)
    DataKey.objects.using("owner").filter(tenant_id=alice.id).delete()
    _forget()
    with tenant_context(alice.tenant):
        with pytest.raises(VaultError):
            unseal(sealed, place=place)
        with pytest.raises(VaultError, match="erased"):
            seal(SECRET, place=place)
    with tenant_context(charlie.tenant):
        assert unseal(kept, place=other) == SECRET


def test_no_secret_stands_in_the_database_in_the_clear(alice: Any) -> None:
    from webhooks.services import create_endpoint

    view = create_endpoint(alice.caller, url="https://8.8.8.8/hook", event_types=["*"])
    stored = rows(f'SELECT t::text FROM "{alice.tenant.schema_name}".webhook_target t')
    assert len(stored) == 1
    assert str(view.secret).removeprefix("whsec_") not in str(stored)


@pytest.fixture(scope="module")
def kms_endpoint() -> Iterator[str]:
    """A double of KMS."""
    with moto() as endpoint:
        yield endpoint


@pytest.fixture
def ring() -> str:
    """The key ring of all other tests."""
    return str(settings.MASTER_KEYS)


@pytest.fixture
def kms(kms_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that name a key there."""
    with master_key_in_kms(kms_endpoint, monkeypatch):
        yield


def test_kms_makes_and_opens_a_new_tenants_data_key(kms: None, new_tenant: Any) -> None:
    dora = new_tenant("dora")
    place = _place(dora)
    with tenant_context(dora.tenant):
        sealed = seal(SECRET, place=place)
        vault._opened.clear()
        assert unseal(sealed, place=place) == SECRET
    row = DataKey.objects.using("owner").get(tenant_id=dora.id)
    assert row.master_version == settings.MASTER_KEYS


def test_kms_refuses_a_data_key_for_another_tenant(kms: None, new_tenant: Any) -> None:
    dora = new_tenant("dora")
    row = DataKey.objects.using("owner").get(tenant_id=dora.id)
    with pytest.raises(VaultError, match="KMS"):
        vault.master_keys().unwrap(bytes(row.wrapped), version=row.master_version, tenant_id=uuid4())


def test_a_key_ring_moves_to_kms(ring: str, alice: Any, kms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    place, in_kms = _place(alice), settings.MASTER_KEYS
    DataKey.objects.using("owner").exclude(tenant_id=alice.id).delete()
    monkeypatch.setattr(settings, "MASTER_KEYS", f"{in_kms},{ring}")
    _forget()
    with tenant_context(alice.tenant):
        sealed = seal(SECRET, place=place)
    assert (vault.rewrap_all(), vault.rewrap_all()) == (1, 0)
    monkeypatch.setattr(settings, "MASTER_KEYS", in_kms)
    _forget()
    with tenant_context(alice.tenant):
        assert unseal(sealed, place=place) == SECRET
    DataKey.objects.using("owner").filter(tenant_id=alice.id).delete()  # nobody else knows this KMS


def test_kms_that_does_not_answer_loses_nothing(kms: None, new_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dora = new_tenant("dora")
    place = _place(dora)
    with tenant_context(dora.tenant):
        sealed = seal(SECRET, place=place)
        _forget()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
        with pytest.raises(VaultUnavailable, match="does not answer"):
            unseal(sealed, place=place)
