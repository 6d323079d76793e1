"""Due dates: whatever of a tenant falls due later is a public row, so nothing loops over tenants to find it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

CONTENT_DUE: Final = "job_content"  # a job's content is to be erased

_ONCE = """INSERT INTO due_date (kind, tenant_id, subject_id, due_at)
 SELECT %(kind)s::varchar, %(tenant)s, %(subject)s, %(at)s
 WHERE NOT EXISTS (SELECT FROM due_date WHERE kind = %(kind)s AND subject_id = %(subject)s)"""


def add_due_date(
    kind: str, *, tenant_id: UUID, subject_id: UUID, due_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Have `kind`'s handler called for the subject at or soon after the time; replaces an earlier date."""
    with connections[using].cursor() as cursor:
        cursor.execute("DELETE FROM due_date WHERE kind = %s AND subject_id = %s", [kind, subject_id])
        cursor.execute(
            "INSERT INTO due_date (kind, tenant_id, subject_id, due_at) VALUES (%s, %s, %s, %s)",
            [kind, tenant_id, subject_id, due_at],
        )


def add_due_date_once(kind: str, *, tenant_id: UUID, subject_id: UUID, due_at: datetime) -> None:
    """The same, unless the subject has such a date already, which stays."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_ONCE, {"kind": kind, "tenant": tenant_id, "subject": subject_id, "at": due_at})


def drop_due_date(kind: str, *, subject_id: UUID) -> None:
    """The subject is done before its time."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("DELETE FROM due_date WHERE kind = %s AND subject_id = %s", [kind, subject_id])


def bring_forward(kind: str, *, subject_ids: Sequence[UUID], using: str = DEFAULT_DB_ALIAS) -> None:
    """What would fall due later falls due now, for those of the subjects that have such a date."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "UPDATE due_date SET due_at = now() WHERE kind = %s AND subject_id = ANY(%s) AND due_at > now()",
            [kind, list(subject_ids)],
        )


def take_due_date(kind: str, *, subject_id: UUID, using: str) -> bool:
    """Whether the subject had such a date, which is gone with the caller's transaction: of several only one has it."""
    with connections[using].cursor() as cursor:
        cursor.execute("DELETE FROM due_date WHERE kind = %s AND subject_id = %s", [kind, subject_id])
        return bool(cursor.rowcount)


def drop_all_due_dates(tenant_id: UUID, *, but: str, using: str) -> None:
    """Nothing of the tenant falls due any more, but for this kind."""
    with connections[using].cursor() as cursor:
        cursor.execute("DELETE FROM due_date WHERE tenant_id = %s AND kind <> %s", [tenant_id, but])
