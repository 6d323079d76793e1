"""A tenant's own credentials: tried at their provider before they are taken, replaced, forgotten, and told of."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from apikit.ids import new_id
from events.facade import record_audit
from speech import providers
from speech.engines.errors import EngineError
from speech.models import ProviderCredential
from speech.own_credentials import contracts, engines, sealing
from speech.own_credentials.contracts import OwnCredential
from speech.own_credentials.errors import CredentialError
from tenants.facade import Caller

REFUSED: Final = frozenset({"auth", "quota"})


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a tenant sends."""

    provider: str
    secret: str
    region: str = ""
    name: str = ""


def create(caller: Caller, wanted: NewCredential) -> ProviderCredential:
    """Take credentials that their provider accepts; raises `CredentialError` having kept nothing."""
    _require_live(caller)
    _check(OwnCredential(wanted.provider, wanted.secret, wanted.region))
    row = ProviderCredential(
        id=new_id(), livemode=True, provider=wanted.provider, region=wanted.region, name=wanted.name,
        last4=contracts.last4(wanted.provider, wanted.secret), checked_at=datetime.now(UTC),
    )  # fmt: skip
    row.secret = sealing.sealed(wanted.secret, tenant_id=caller.tenant_id, row_id=row.id)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _audit(caller, "created", row, after=_told(row))
    except IntegrityError:
        detail = f"There are credentials for {wanted.provider} already. Rotate them, or delete them first."
        raise CredentialError("provider_credential_exists", detail, field="provider") from None
    engines.forget(caller.tenant_id)
    return row


def list_all(caller: Caller) -> list[ProviderCredential]:
    """All of the key's mode: one per provider at most."""
    return list(ProviderCredential.objects.filter(livemode=caller.livemode).order_by("-id"))


def find(caller: Caller, row_id: UUID) -> ProviderCredential | None:
    """The caller's, of the key's own mode, or None."""
    return ProviderCredential.objects.filter(pk=row_id, livemode=caller.livemode).first()


def rotate(caller: Caller, row: ProviderCredential, *, secret: str) -> ProviderCredential:
    """Replace the secret by one that the provider accepts; the old one stays when it does not."""
    _check(OwnCredential(row.provider, secret, row.region))
    before = _told(row)
    row.secret = sealing.sealed(secret, tenant_id=caller.tenant_id, row_id=row.id)
    row.last4, row.checked_at = contracts.last4(row.provider, secret), datetime.now(UTC)
    row.failing_since, row.failing_code, row.rotated_at = None, "", row.checked_at
    with transaction.atomic():
        row.save()
        _audit(caller, "rotated", row, before=before, after=_told(row))
    engines.forget(caller.tenant_id)
    return row


def check(caller: Caller, row: ProviderCredential) -> ProviderCredential:
    """Try them once more; raises `CredentialError` when they are refused."""
    _check(sealing.opened(row, tenant_id=caller.tenant_id))
    before = _told(row)
    row.checked_at, row.failing_since, row.failing_code = datetime.now(UTC), None, ""
    with transaction.atomic():
        row.save(update_fields=["checked_at", "failing_since", "failing_code"])
        _audit(caller, "checked", row, before=before, after=_told(row))
    return row


def delete(caller: Caller, row: ProviderCredential) -> None:
    """Forget them; jobs under way with them end as their provider lets them."""
    with transaction.atomic():
        _audit(caller, "deleted", row, before=_told(row))
        row.delete()
    engines.forget(caller.tenant_id)


def _require_live(caller: Caller) -> None:
    if not caller.livemode:
        detail = "Test keys run on the simulated engine and never on credentials. Use a live key."
        raise CredentialError("live_key_required", detail)


def _check(credential: OwnCredential) -> None:
    """One call at the provider that costs nothing; raises `CredentialError`."""
    fault = contracts.region_fault(credential.provider, credential.region)
    if fault:
        raise CredentialError("invalid_region", fault, field="region")
    try:
        for engine in engines.made_with(credential, installed=providers.installed()).values():
            with closing(engine):
                engine.check_credentials()
    except EngineError as error:
        raise _refusal(credential.provider, error) from None
    except ValueError:
        what = contracts.KINDS[credential.provider].secret_name
        detail = f"This is not the {what} of {credential.provider}. Send it as the provider gave it to you."
        raise CredentialError("provider_credential_refused", detail, field="secret") from None


def _refusal(provider: str, error: EngineError) -> CredentialError:
    if error.kind in REFUSED or not error.may_pass:
        detail = (
            f"{provider} refused these credentials ({error.code}). Check them there, and that the account has funds."
        )
        return CredentialError("provider_credential_refused", detail, field="secret")
    return CredentialError(
        "provider_unreachable", f"{provider} does not answer now ({error.code}). Send it again later."
    )


def _told(row: ProviderCredential) -> dict[str, str]:
    return {"provider": row.provider, "region": row.region, "last4": row.last4, "failing_code": row.failing_code}


def _audit(caller: Caller, action: str, row: ProviderCredential, **states: Any) -> None:
    record_audit(
        f"provider_credential.{action}", actor=str(caller.key_id), subject=str(row.id), tenant_id=caller.tenant_id,
        **states,
    )  # fmt: skip
