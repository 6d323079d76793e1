"""The reconciliation job: the ledger's proof once a night or when a person asks, and what it found, kept.

A thread of the scheduler. Of several schedulers one does a run: PostgreSQL gives the lock to one connection, and takes
it back when that one ends, so a run whose process died is begun anew by whoever looks next.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections, transaction

from billing.checks import check
from billing.contracts import Difference
from billing.models import BillingPeriod, Reconciliation
from events.facade import record_audit
from observe.facade import get_logger

SYSTEM = "system"
LOOK_EVERY_S = 5
LOCK_CLASS = 7_265_006
KEPT = 1_000  # differences of a run; where there are more, the first say enough
SHOWN_RUNS = 30

log = get_logger(__name__)

# A night is named by its day in UTC and begins at two: most closing and backing up is over by then.
_TONIGHT = """INSERT INTO public.reconciliation (night, whole, asked_by)
 SELECT night, false, 'nightly' FROM (SELECT (now() AT TIME ZONE 'UTC' - interval '2 hours')::date AS night) AS now
  WHERE NOT EXISTS (SELECT FROM public.reconciliation AS r WHERE r.night = now.night) ON CONFLICT DO NOTHING"""
_ASK = """INSERT INTO public.reconciliation (whole, asked_by) SELECT true, %s
  WHERE NOT EXISTS (SELECT FROM public.reconciliation WHERE ended_at IS NULL AND whole)"""
_BEGIN = """UPDATE public.reconciliation AS r SET begun_at = now()
 WHERE id = (SELECT id FROM public.reconciliation WHERE ended_at IS NULL ORDER BY id LIMIT 1)
 RETURNING id, whole, (now() AT TIME ZONE 'UTC')::date,
   (SELECT max(begun_at) FROM public.reconciliation WHERE ended_at IS NOT NULL AND error = '')"""
_END = """UPDATE public.reconciliation SET ended_at = now(), months = %s, found = %s, differences = %s::jsonb,
   error = %s WHERE id = %s"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run; `ended_at` is None while it waits or goes on, `found` then and when it broke off with `error`."""

    id: int
    night: date | None
    whole: bool
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    months: int | None
    found: int | None
    differences: tuple[Difference, ...]
    error: str


def run_reconciler(stop: threading.Event) -> None:
    """Do what is due until `stop`, beside the sweeper: a check of a large ledger takes minutes."""
    while not stop.is_set():
        try:
            close_old_connections()
            while reconcile_once() and not stop.is_set():
                pass
        except Exception as error:  # the database may be away for a moment
            log.exception("reconciler_failed", error=type(error).__name__)
        stop.wait(LOOK_EVERY_S)


def reconcile_once() -> bool:
    """Do the run that is due; False when none is, or when another process is at one."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [LOCK_CLASS])
        if not cursor.fetchone()[0]:
            return False
        try:
            cursor.execute(_TONIGHT)
            cursor.execute(_BEGIN)
            begun = cursor.fetchone()
            if begun is not None:
                _run(*begun)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [LOCK_CLASS])
    return begun is not None


def ask_reconciliation(*, actor: str) -> None:
    """Have everything compared soon, every closed month anew; nothing changes where such a run waits already."""
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute(_ASK, [actor])
        if cursor.rowcount:
            record_audit("reconciliation.asked", actor=actor, subject="", tenant_id=None, using=SYSTEM)


def reconciliation_runs(*, limit: int = SHOWN_RUNS) -> list[Run]:
    """The newest first."""
    rows = Reconciliation.objects.using(settings.FINANCE_READS).order_by("-id")[:limit]
    return [
        Run(
            row.id, row.night, row.whole, row.asked_by, row.asked_at, row.begun_at, row.ended_at, row.months,
            row.found, tuple(Difference(**one) for one in row.differences), row.error,
        )
        for row in rows
    ]  # fmt: skip


def months_due(closed: Mapping[date, datetime], *, since: datetime | None, night: date) -> list[date]:
    """The closed months that a night looks at: those closed since the last run, and of the older ones each in turn.

    So a night's work does not grow with the years, and still no month stays unproven for long.

    >>> closed = {date(2026, 9, 1): datetime(2026, 10, 2), date(2026, 10, 1): datetime(2026, 11, 2)}
    >>> months_due(closed, since=datetime(2026, 11, 1), night=date(2026, 11, 2))
    [datetime.date(2026, 9, 1), datetime.date(2026, 10, 1)]
    >>> months_due(closed, since=datetime(2026, 11, 3), night=date(2026, 11, 4))
    [datetime.date(2026, 9, 1)]
    """
    new = [month for month, closed_at in closed.items() if since is None or closed_at >= since]
    old = sorted(closed.keys() - set(new))
    return sorted([*new, *([old[night.toordinal() % len(old)]] if old else [])])


def _run(run_id: int, whole: bool, night: date, since: datetime | None) -> None:
    rows = BillingPeriod.objects.using(SYSTEM).filter(status=BillingPeriod.Status.CLOSED)
    closed = {row.period: row.closed_at for row in rows if row.closed_at is not None}
    months = sorted(closed) if whole else months_due(closed, since=since, night=night)
    try:
        found = check(months=months)
    except Exception as error:
        log.exception("reconciliation_broke_off", run=run_id, error=type(error).__name__)
        _end(run_id, months, None, (), type(error).__name__)
        return
    if found:
        log.error("reconciliation_found", run=run_id, differences=len(found))
    _end(run_id, months, len(found), found[:KEPT], "")


def _end(
    run_id: int, months: Collection[date], found: int | None, differences: Sequence[Difference], error: str
) -> None:
    kept: list[dict[str, Any]] = [asdict(one) for one in differences]
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute(_END, [len(months), found, json.dumps(kept), error, run_id])
