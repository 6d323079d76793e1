"""`Idempotency-Key`: the row is written in the transaction of the job it belongs to, so there is no half-made state.

draft-ietf-httpapi-idempotency-key-header-06 sends a quoted string, Stripe a bare one: both are accepted.

OpenAI's SDKs send no key, not even on the retries they make by themselves; but they say how often they have tried. So
a first attempt is noted under a key made from all that it says, and a later attempt looks for it. Two first attempts
that say the same are two calls that somebody meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from apikit.problems import Problem

MAX_LENGTH = 255
KEPT_HOURS = 24

_FIND = """SELECT fingerprint, subject_id FROM idempotency_row WHERE tenant_id = %s AND livemode = %s AND route = %s
 AND key = %s AND created_at > now() - %s * interval '1 hour' ORDER BY created_at DESC LIMIT 1"""
_ADD = """INSERT INTO idempotency_row (tenant_id, livemode, route, key, fingerprint, subject_id)
 VALUES (%s, %s, %s, %s, %s, %s)"""

# Beside other parts of a statement that makes the subject, as `job`: the note of a first attempt. The same call in the
# same microsecond: one row will do.
NOTE_FIRST = """noted AS (INSERT INTO public.idempotency_row (tenant_id, livemode, route, key, fingerprint, subject_id)
 SELECT %(noted_tenant)s, %(noted_livemode)s, %(noted_route)s, %(noted_key)s, %(noted_fingerprint)s::bytea, %(job_id)s
 FROM job ON CONFLICT DO NOTHING)"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key on a route of one tenant and mode, with the fingerprint of what was asked.

    `first`: it is noted for attempts that may follow, and never joins an earlier one. `joinable` says whether a subject
    that has the key still serves; without it every one does.
    """

    tenant_id: UUID
    livemode: bool
    route: str
    key: str
    fingerprint: bytes
    first: bool = False
    joinable: Callable[[UUID], bool] | None = None


def read_key(header: str | None) -> str | None:
    """The key without quotes, or None; raises a 400 `Problem` when it is empty or too long.

    >>> read_key('"a b"')
    'a b'
    """
    if header is None:
        return None
    key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if not 1 <= len(key) <= MAX_LENGTH or not key.isprintable():
        raise Problem(
            "invalid_idempotency_key", 400, f"Idempotency-Key must be 1 to {MAX_LENGTH} printable characters."
        )
    return key


def fingerprint(parts: Mapping[str, Any]) -> bytes:
    """A hash of the parsed fields (and the file's hash): the order of fields and white space do not matter."""
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).digest()


def retry_claim(
    *, tenant_id: UUID, livemode: bool, route: str, fingerprint: bytes, attempt: int, joinable: Callable[[UUID], bool]
) -> Claim:
    """The claim of an attempt without a key, numbered from 0 by the SDK that makes it."""
    return Claim(
        tenant_id, livemode, route, f"sdk:{fingerprint.hex()}", fingerprint, first=attempt == 0, joinable=joinable,
    )  # fmt: skip


def find(wanted: Claim) -> UUID | None:
    """The subject that has the key, if any; raises a 422 `Problem` when the key was used for something else."""
    if wanted.first:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [*_identity(wanted), KEPT_HOURS])
        row = cursor.fetchone()
    if row is None:
        return None
    if bytes(row[0]) != wanted.fingerprint:
        detail = "This Idempotency-Key was used with another request. Use a new key."
        raise Problem("idempotency_key_reused", 422, detail)
    found: UUID = row[1]
    return found if wanted.joinable is None or wanted.joinable(found) else None


def claim(wanted: Claim, *, subject_id: UUID) -> UUID | None:
    """Take the key for a new subject: None; or the subject that has it. Call it first in the subject's transaction.

    Two requests with one key go one after the other, and the second sees the first one's row. A first attempt is only
    noted: `NOTE_FIRST`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock(wanted)])
    found = find(wanted)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [*_identity(wanted), wanted.fingerprint, subject_id])
    return found


def note_values(wanted: Claim) -> dict[str, Any]:
    """What `NOTE_FIRST` takes beside the subject's id."""
    return {
        "noted_tenant": wanted.tenant_id, "noted_livemode": wanted.livemode, "noted_route": wanted.route,
        "noted_key": wanted.key, "noted_fingerprint": wanted.fingerprint,
    }  # fmt: skip


def _identity(wanted: Claim) -> list[Any]:
    return [wanted.tenant_id, wanted.livemode, wanted.route, wanted.key]


def _lock(wanted: Claim) -> int:
    text = f"{wanted.tenant_id}|{wanted.livemode}|{wanted.route}|{wanted.key}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)
