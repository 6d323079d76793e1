"""The ledger's proof of itself: what should be equal, and where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections, transaction

from billing.contracts import Difference
from billing.models import BillingPeriod
from billing.periods import content_of

_HELD = """SELECT tenant_id, coalesce(w.held, 0), coalesce(h.amount, 0) FROM public.wallet AS w
  FULL JOIN (SELECT tenant_id, sum(amount) AS amount FROM public.hold WHERE on_wallet GROUP BY tenant_id) AS h
  USING (tenant_id) WHERE coalesce(w.held, 0) <> coalesce(h.amount, 0) ORDER BY tenant_id"""

_UNGUARDED = """SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'public.usage_entry'::regclass AND (
   SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgenabled = 'O'
     AND t.tgname IN ('usage_entry_no_truncate', 'usage_entry_no_change')) <> 2
 ORDER BY c.relname"""


def check(*, using: str = "system") -> list[Difference]:
    """Every difference found: wallets against holds, closed months against their hashes, partitions without guards.

    Reads all tenants, in one snapshot; a month of a million entries takes seconds.
    """
    connection = connections[using]
    # The cursor first: making one may run a statement (the search path), and the isolation level must come before any.
    with connection.cursor() as cursor, transaction.atomic(using=using, durable=True):
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [*_wallets(cursor), *_periods(cursor, using=using), *_partitions(cursor)]


def _wallets(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_HELD)
    for tenant_id, held, holds in cursor.fetchall():
        yield Difference("wallet's held and the sum of its holds", str(tenant_id), str(holds), str(held))


def _periods(cursor: Any, *, using: str) -> Iterator[Difference]:
    closed = BillingPeriod.objects.using(using).filter(status=BillingPeriod.Status.CLOSED).order_by("period")
    for row in closed:
        entries, content_hash = content_of(cursor, row.period)
        if entries != row.entries:
            yield Difference("closed month's entries", f"{row.period:%Y-%m}", str(row.entries), str(entries))
        if content_hash != row.content_hash:
            yield Difference("closed month's hash", f"{row.period:%Y-%m}", row.content_hash, content_hash)


def _partitions(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_UNGUARDED)
    for (name,) in cursor.fetchall():
        yield Difference("partition's triggers against change", name, "both", "missing or off")
