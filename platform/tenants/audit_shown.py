"""Rows of the audit log as a tenant sees them: public ids, and nothing of who works for the operator."""

from __future__ import annotations

from typing import Any, Final

from apikit import ids
from events.facade import AuditRow
from tenants.shown import as_uuid, stamp

# What the first word of an action is about; other subjects are shown as they are.
_KINDS: Final = {
    "api_key": ids.API_KEY, "webhook_endpoint": ids.WEBHOOK_ENDPOINT, "destination": ids.DESTINATION,
    "provider_credential": ids.PROVIDER_CREDENTIAL, "dictionary": ids.DICTIONARY_ENTRY,
    "dictionary_entry": ids.DICTIONARY_ENTRY, "delivery": ids.DELIVERY, "replay": ids.REPLAY, "tenant": ids.TENANT,
    "statement": ids.STATEMENT, "member": ids.MEMBER, "alert_address": ids.TENANT, "transcription": ids.TRANSCRIPTION,
    "speech": ids.SPEECH, "upload": ids.UPLOAD, "wallet": ids.TENANT, "contract": ids.TENANT,
}  # fmt: skip
_PREFIXES: Final = sorted({*_KINDS.values()})


def entry(row: AuditRow) -> dict[str, Any]:
    """One row."""
    actor = _actor(row.actor)
    theirs = actor["type"] != "operator"
    return {
        "id": str(row.id),
        "object": "audit_entry",
        "livemode": row.livemode,
        "action": row.action,
        "actor": actor,
        "subject": _subject(row),
        # Where the operator's people sit is the operator's business.
        "address": (row.address or None) if theirs else None,
        "user_agent": (row.user_agent or None) if theirs else None,
        "request_id": (row.request_id or None) if theirs else None,
        "before": row.before,
        "after": row.after,
        "created": stamp(row.created_at),
    }


def stored(shown: str) -> str:
    """A subject or actor as it is stored, from what was shown of it.

    >>> stored("key_00000000000000000000000001"), stored("operator")
    ('00000000-0000-0000-0000-000000000001', 'operator')
    """
    for prefix in _PREFIXES:
        found = ids.parse(prefix, shown)
        if found is not None:
            return str(found)
    return shown


def _actor(stored_actor: str) -> dict[str, str | None]:
    """Whichever of the operator's people or keys it was: to the tenant it is the operator.

    >>> _actor("ann@example.com"), _actor("system")
    ({'type': 'operator', 'id': None}, {'type': 'system', 'id': None})
    >>> _actor("opr_00000000000000000000000001")
    {'type': 'operator', 'id': None}
    """
    key_id = as_uuid(stored_actor)
    if key_id:
        return {"type": "api_key", "id": ids.show(ids.API_KEY, key_id)}
    if stored_actor.startswith(f"{ids.MEMBER}_"):
        return {"type": "member", "id": stored_actor}
    return {"type": "system" if stored_actor == "system" else "operator", "id": None}


def _subject(row: AuditRow) -> str:
    prefix, subject = _KINDS.get(row.action.partition(".")[0]), as_uuid(row.subject)
    return ids.show(prefix, subject) if prefix and subject else row.subject
