"""Accepting an order of any kind: lane, hold, job, first item and the order's own rows in one statement.

So it is one round trip and one commit. Only an order with more to look at or to write (an idempotency key, an upload, a
webhook's URL) takes a transaction around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apikit import idempotency
from billing.facade import HOLD, KEEP_NAMES, Quote, tag_values
from dispatch.facade import ADD_JOB, LANE, Entry, JobRow, Lease, check_backlog, executor_of, wake_on_commit
from observe.facade import failpoint
from speech.sources import check_webhook_url
from speech.uploads import use_upload
from tenants.facade import Caller, check_may_start
from webhooks.facade import send_job_events_to

# Each part begins only when the one before it said yes, so that a no leaves nothing behind. S608: constants only.
_ACCEPT = f"""WITH lane AS MATERIALIZED (SELECT {LANE} AS id),
held AS MATERIALIZED (SELECT lane.id, {HOLD} AS covered FROM lane WHERE lane.id IS NOT NULL),
paid AS MATERIALIZED (SELECT CASE WHEN covered THEN id END AS lane FROM held),
job AS MATERIALIZED (SELECT added.* FROM paid, LATERAL {ADD_JOB} AS added),
named AS ({KEEP_NAMES}),
{{noted}}{{parts}}
SELECT lane.id, held.covered, job.at, job.item_id, job.token, {{told}}
 FROM lane LEFT JOIN held ON true LEFT JOIN job ON true"""  # noqa: S608
_COLUMNS = ("lane", "covered", "at", "item_id", "token")


@dataclass(frozen=True, slots=True)
class Content:
    """An order's own rows, as parts of the statement that read `job`: one row if the job comes to be, else none.

    `told` is an expression whose value comes back with the job.
    """

    parts: str
    values: Mapping[str, Any]
    told: str = "NULL"
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """One way in which an order may come to be: queued, or leased to this process if its lane is idle."""

    entry: Entry
    content: Content
    quote: Quote


@dataclass(frozen=True, slots=True)
class Beside:
    """What only some orders bring along, to be written in the same transaction."""

    claim: idempotency.Claim | None = None
    upload_id: UUID | None = None
    webhook_url: str | None = None

    @property
    def first_attempt(self) -> idempotency.Claim | None:
        """The claim that is to be noted only: no other has to be looked for."""
        return self.claim if self.claim is not None and self.claim.first else None

    @property
    def takes_a_transaction(self) -> bool:
        is_claimed = self.claim is not None and not self.claim.first
        return is_claimed or self.upload_id is not None or self.webhook_url is not None


@dataclass(frozen=True, slots=True)
class Written:
    """The order's rows are there: as which entry, and what its content wanted to be told."""

    entry: Entry
    job: JobRow
    lease: Lease | None
    told: Any


def check(caller: Caller, beside: Beside) -> UUID | None:
    """The job that the order's idempotency key made before, if any.

    Raises what stands against a new one: `TenantSuspended`, `Overloaded`, `UrlRefused`.
    """
    check_may_start(caller)
    check_backlog()
    known = idempotency.find(beside.claim) if beside.claim else None
    if known is None and beside.webhook_url is not None:
        check_webhook_url(caller, beside.webhook_url)
    return known


def accept(caller: Caller, drafts: Iterable[Draft], *, job_id: UUID, beside: Beside) -> Written | UUID:
    """The first of the drafts that its lane takes; or the job that the order's idempotency key made meanwhile.

    The last draft is one that every lane takes. Raises `InsufficientFunds` having written nothing.
    """
    drafts = iter(drafts)
    first = next(drafts)  # before the transaction: a recording may be decoded for it
    with _transaction(beside):
        known = _claimed(beside, job_id=job_id)
        if known is not None:
            return known
        written = _first_taken(chain([first], drafts), attempt=beside.first_attempt)
        transaction.on_commit(lambda: failpoint("accept.committed"))
        _note_beside(caller, beside, job_id=job_id)
        if written.lease is None:
            wake_on_commit(executor_of(written.entry.queue))
        if transaction.get_connection().in_atomic_block:  # otherwise it is committed by now
            failpoint("accept.uncommitted")
    return written


def _transaction(beside: Beside) -> AbstractContextManager[object]:
    """An order that is one statement is a transaction already: its commit comes along without a round trip."""
    return transaction.atomic() if beside.takes_a_transaction else nullcontext()


def _claimed(beside: Beside, *, job_id: UUID) -> UUID | None:
    """The job that has the order's key; None when there is no key, or it is this job's from now on."""
    if beside.claim is None or beside.first_attempt is not None:
        return None
    return idempotency.claim(beside.claim, subject_id=job_id)


def _first_taken(drafts: Iterable[Draft], *, attempt: idempotency.Claim | None) -> Written:
    for draft in drafts:
        written = _write(draft, attempt=attempt)
        if written is not None:
            return written
    raise AssertionError("a lane refuses only what is to be leased")


def _write(draft: Draft, *, attempt: idempotency.Claim | None) -> Written | None:
    """The job, and its lease when the entry asks for one; None, and nothing written, when the lane is not idle then."""
    quote, entry = draft.quote, draft.entry
    entry = replace(entry, job=replace(entry.job, price_version=quote.version))
    with connection.cursor() as cursor:
        sql = _statement(draft.content.parts, draft.content.told, attempt is not None)
        named = tag_values(entry.job.tenant_id, draft.content.tags)
        noted = idempotency.note_values(attempt) if attempt else {}
        cursor.execute(sql, {**draft.content.values, **named, **noted, **quote.values(), **entry.values()})
        *columns, told = cursor.fetchone()
    row = dict(zip(_COLUMNS, columns, strict=True))
    if row["lane"] is None:
        return None
    if not row["covered"]:
        raise quote.refusal()
    return Written(entry, *entry.added(row), told=told)


@lru_cache(maxsize=16)
def _statement(parts: str, told: str, is_attempt: bool) -> str:
    noted = f"{idempotency.NOTE_FIRST},\n" if is_attempt else ""
    return _ACCEPT.format(noted=noted, parts=parts, told=told)


def _note_beside(caller: Caller, beside: Beside, *, job_id: UUID) -> None:
    if beside.upload_id is not None:
        use_upload(caller, beside.upload_id)
    if beside.webhook_url is not None:
        send_job_events_to(beside.webhook_url, tenant_id=caller.tenant_id, livemode=caller.livemode, subject_id=job_id)
