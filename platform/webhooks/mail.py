"""E-mails on their way: written with the change they tell of, sent later through Django's e-mail backend.

At least once: a process killed between the mail server's answer and the record sends again, with the same Message-ID.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMessage, get_connection
from django.db import Error as DatabaseFault
from django.db import connections

from apikit import ids
from observe.facade import failpoint, get_logger
from tenants.facade import Place, VaultError, seal, tenant_context, tenant_ref, unseal
from webhooks.alerts import recipients
from webhooks.fanout import SYSTEM
from webhooks.health_rules import DISABLE_AFTER_S
from webhooks.mail_texts import MODES, REASONS, TEXTS
from webhooks.models import Mail

BATCH = 20
LEASE_S = 120  # more than a batch takes at a mail server that is slow, not dead
RETRY_S = (60, 300, 1800, 7200, 6 * 3600, 12 * 3600)  # a mail server may be away for a day
IDLE_S = 5.0  # nobody waits for an e-mail by the second

_CLAIM = """
UPDATE mail_outbox SET attempt = attempt + 1, due_at = now() + %s * interval '1 second'
WHERE id IN (SELECT id FROM mail_outbox WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, tenant_id, template, language, recipient, details, attempt"""

# The recipient is forgotten with the success. Whoever claimed it meanwhile has raised the attempt and decides alone.
_SENT = """UPDATE mail_outbox SET due_at = NULL, sent_at = now(), recipient = '', last_error = ''
WHERE id = %s AND attempt = %s"""
_FAILED = """UPDATE mail_outbox SET due_at = now() + %s * interval '1 second', last_error = %s
WHERE id = %s AND attempt = %s"""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed e-mail."""

    id: UUID
    tenant_id: UUID
    template: str
    language: str
    recipient: bytes = field(repr=False)
    details: Mapping[str, Any] = field(repr=False)
    attempt: int


def write(template: str, *, tenant_id: UUID, details: Mapping[str, Any]) -> None:
    """Add one e-mail for each of the tenant's recipients, in the system's running transaction.

    Nothing is written where no mail server is set: an alert of last month must not go out when one is.
    """
    if not settings.SENDS_MAIL:
        return
    for recipient in recipients(tenant_id):
        mail_id = ids.new_id()
        with tenant_context(tenant_ref(tenant_id)):
            address = seal(recipient.address.encode(), place=_place(tenant_id, mail_id))
        Mail.objects.using(SYSTEM).create(
            id=mail_id, tenant_id=tenant_id, template=template, language=recipient.language, recipient=address,
            details=dict(details),
        )  # fmt: skip


def send_mails() -> int:
    """Send what is due; returns how many were tried."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_CLAIM, [LEASE_S, BATCH])
        letters = [_letter(*row) for row in cursor.fetchall()]
    for letter in letters:
        _send(letter)
    return len(letters)


def run_mailer(stop: threading.Event) -> None:
    """Send e-mails until `stop` is set; returns at once where no mail server is set."""
    while settings.SENDS_MAIL and not stop.is_set():
        try:
            busy = send_mails() == BATCH
        except DatabaseFault as error:
            _log.error("mailer_waits_for_database", kind=type(error).__name__)
            busy = False
            for connection in connections.all(initialized_only=True):
                connection.close()
        if not busy:
            stop.wait(IDLE_S)


def message(letter: Letter, *, address: str) -> EmailMessage:
    """The e-mail as it is sent; its Message-ID is the same at every attempt."""
    subject, body = TEXTS[letter.template, letter.language]
    facts = _facts(letter.details, language=letter.language)
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    headers = {"Message-ID": f"<{letter.id}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(subject.format(**facts), body.format(**facts), to=[address], headers=headers)


def _facts(details: Mapping[str, Any], *, language: str) -> dict[str, str]:
    since = str(details.get("since") or "")[:16].replace("T", " ")
    reason = REASONS.get((str(details.get("reason")), language), "")
    return {
        "endpoint": ids.show(ids.WEBHOOK_ENDPOINT, UUID(details["endpoint_id"])),
        "mode": MODES["live" if details["livemode"] else "test", language],
        "since": since,
        "reason_text": reason.format(since=since),
        "disable_hours": str(DISABLE_AFTER_S // 3600),
        "api_url": settings.PUBLIC_URL,
    }


def _send(letter: Letter) -> None:
    try:
        with tenant_context(tenant_ref(letter.tenant_id)):
            address = unseal(letter.recipient, place=_place(letter.tenant_id, letter.id)).decode()
    except (VaultError, ObjectDoesNotExist):
        return _record(_FAILED, [None, "tenant_erased", letter.id, letter.attempt])
    try:
        with get_connection() as mailer:
            mailer.send_messages([message(letter, address=address)])
    except Exception as error:
        # Whatever it is: one letter must not keep the others. Its kind only: a server's answer may quote the address.
        kind = type(error).__name__
        _log.warning("mail_failed", mail_id=str(letter.id), kind=kind, attempt=letter.attempt)
        delay_s = RETRY_S[letter.attempt - 1] if letter.attempt <= len(RETRY_S) else None
        return _record(_FAILED, [delay_s, kind, letter.id, letter.attempt])
    failpoint("mail.sent")
    return _record(_SENT, [letter.id, letter.attempt])


def _letter(
    mail_id: UUID, tenant_id: UUID, template: str, language: str, recipient: bytes, details: str, attempt: int
) -> Letter:
    return Letter(mail_id, tenant_id, template, language, bytes(recipient), json.loads(details), attempt)


def _record(sql: str, values: list[Any]) -> None:
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(sql, values)


def _place(tenant_id: UUID, mail_id: UUID) -> Place:
    return Place(tenant_id, "mail_outbox", "recipient", str(mail_id))
