"""Who is told by e-mail when an endpoint fails.

Until tenants have members who choose this for themselves, an operator names the addresses. `recipients` is the border:
whoever replaces the list behind it changes nothing in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apikit.ids import new_id
from events.facade import record_audit
from tenants.facade import Place, VaultError, seal, tenant_context, tenant_ref, unseal
from webhooks.fanout import SYSTEM
from webhooks.mail_texts import LANGUAGES
from webhooks.models import AlertAddress

MAX_ADDRESSES = 20  # a team; more is a mailing list's business


class AlertAddressWrong(ValueError):
    """An address or language that cannot be used; the text says which."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person to tell."""

    address: str = field(repr=False)
    language: str


def set_alert_addresses(tenant_id: UUID, *, addresses: Sequence[str], language: str, actor: str) -> None:
    """Replace the tenant's addresses; an empty list tells nobody. Raises `AlertAddressWrong`."""
    wanted = _checked(addresses, language=language)
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        AlertAddress.objects.filter(tenant_id=tenant_id).delete()
        for address in wanted:
            key = new_id()
            sealed = seal(address.encode(), place=_place(tenant_id, key))
            AlertAddress.objects.create(id=key, tenant_id=tenant_id, address=sealed, language=language)
        after = {"addresses": len(wanted), "language": language}
        record_audit("alert_address.set", actor=actor, subject=str(tenant_id), tenant_id=tenant_id, after=after)


def recipients(tenant_id: UUID) -> list[Recipient]:
    """Whom to tell, as the system; nobody when the tenant is being erased."""
    rows = list(AlertAddress.objects.using(SYSTEM).filter(tenant_id=tenant_id).order_by("id"))
    try:
        with tenant_context(tenant_ref(tenant_id)):
            return [
                Recipient(unseal(bytes(row.address), place=_place(tenant_id, row.id)).decode(), row.language)
                for row in rows
            ]
    except (VaultError, ObjectDoesNotExist):
        return []


def _checked(addresses: Sequence[str], *, language: str) -> list[str]:
    if language not in LANGUAGES:
        raise AlertAddressWrong(f"There is no text in {language!r}. Use one of {', '.join(LANGUAGES)}.")
    wanted = list(dict.fromkeys(addresses))
    if len(wanted) > MAX_ADDRESSES:
        raise AlertAddressWrong(f"At most {MAX_ADDRESSES} addresses. Use a mailing list's address instead.")
    for address in wanted:
        try:
            validate_email(address)
        except ValidationError:
            raise AlertAddressWrong("One of the addresses is not an e-mail address. Write name@example.com.") from None
    return wanted


def _place(tenant_id: UUID, key: UUID) -> Place:
    return Place(tenant_id, "alert_address", "address", str(key))
