"""The ledger's proof of itself: what should be equal, and where it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from django.db import connections, transaction

from billing.contracts import Difference
from billing.models import BillingPeriod
from billing.periods import content_of
from billing.statements.canonical import content_hash
from billing.statements.reading import rated_statements
from billing.statements.rerating import rated_otherwise
from billing.stripe.reconciling import differences
from dispatch.facade import ENDED_LIVE

_HELD = """SELECT tenant_id, coalesce(w.held, 0), coalesce(h.amount, 0) FROM public.wallet AS w
  FULL JOIN (SELECT tenant_id, sum(amount) AS amount FROM public.hold WHERE on_wallet GROUP BY tenant_id) AS h
  USING (tenant_id) WHERE coalesce(w.held, 0) <> coalesce(h.amount, 0) ORDER BY tenant_id"""

_UNGUARDED = """SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'public.usage_entry'::regclass AND (
   SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgenabled = 'O'
     AND t.tgname IN ('usage_entry_no_truncate', 'usage_entry_no_change')) <> 2
 ORDER BY c.relname"""

# Each gives (subject, expected, found) where two numbers differ that are one number.
_BALANCES = """SELECT w.tenant_id, coalesce(e.amount, 0) - w.spent, w.balance FROM public.wallet AS w
 LEFT JOIN (SELECT tenant_id, sum(amount) AS amount FROM public.wallet_entry GROUP BY tenant_id) AS e USING (tenant_id)
 WHERE coalesce(e.amount, 0) - w.spent <> w.balance ORDER BY w.tenant_id"""
_SPENT = """SELECT w.tenant_id, coalesce(u.amount, 0), w.spent FROM public.wallet AS w
 LEFT JOIN (SELECT tenant_id, sum(amount) AS amount FROM public.usage_entry WHERE on_wallet AND kind <> 'cost'
   GROUP BY tenant_id) AS u USING (tenant_id) WHERE coalesce(u.amount, 0) <> w.spent ORDER BY w.tenant_id"""
_BUDGETS = """SELECT b.id, coalesce(h.amount, 0), b.held FROM public.budget AS b LEFT JOIN (
   SELECT budget, sum(amount) AS amount FROM public.hold, unnest(budgets) AS budget GROUP BY budget) AS h
   ON h.budget = b.id WHERE coalesce(h.amount, 0) <> b.held ORDER BY b.id"""
_SUMS = """SELECT coalesce(l.period, s.period)::text || ' ' || coalesce(l.tenant_id, s.tenant_id), l.sums, s.sums FROM (
   SELECT tenant_id, period, (sum(billable_quantity), sum(amount), count(*))::text AS sums
     FROM public.usage_entry WHERE livemode GROUP BY tenant_id, period) AS l
 FULL JOIN (SELECT tenant_id, period, (sum(quantity), sum(amount), sum(entries))::text AS sums FROM (
     SELECT tenant_id, period, quantity, amount, entries FROM public.usage_day WHERE tag = ''::bytea
     UNION ALL SELECT tenant_id, period, quantity, amount, entries FROM public.usage_quarter WHERE tag = ''::bytea
     UNION ALL SELECT tenant_id, period, quantity, amount, entries FROM public.usage_delta WHERE tag = ''::bytea) AS two
   GROUP BY tenant_id, period) AS s ON (l.tenant_id, l.period) = (s.tenant_id, s.period)
 WHERE l.sums IS DISTINCT FROM s.sums ORDER BY 1"""
_DAYS = """SELECT day || ' ' || tenant_id, (quantity, amount, jobs)::text, sums::text FROM public.usage_day,
   LATERAL (SELECT cardinality(slots) AS last) AS n,
   LATERAL (SELECT (quantity_to[last], amount_to[last], jobs_to[last]) AS sums) AS s
 WHERE (quantity, amount, jobs) IS DISTINCT FROM sums ORDER BY day, tenant_id"""
_STATEMENTS = """SELECT s.id, coalesce(l.entries, 0), s.entries FROM public.statement AS s LEFT JOIN (
   SELECT tenant_id, period, count(*) AS entries FROM public.usage_entry WHERE kind <> 'cost' AND livemode
    GROUP BY tenant_id, period) AS l USING (tenant_id, period)
 WHERE s.status <> 'draft' AND coalesce(l.entries, 0) <> s.entries ORDER BY s.id"""
_LINES = """SELECT s.id, (s.entries, s.total), (coalesce(sum(l.entries), 0), coalesce(sum(l.amount), 0))
  FROM public.statement AS s LEFT JOIN public.statement_line AS l ON l.statement_id = s.id
 GROUP BY s.id HAVING (s.entries, s.total) <> (coalesce(sum(l.entries), 0), coalesce(sum(l.amount), 0)) ORDER BY s.id"""
_PREPAID = """SELECT s.id, s.from_wallet, coalesce(u.amount, 0) - coalesce(e.amount, 0) FROM public.statement AS s
 LEFT JOIN (SELECT tenant_id, period, sum(amount) AS amount FROM public.usage_entry
   WHERE on_wallet AND kind <> 'cost' AND livemode GROUP BY tenant_id, period) AS u USING (tenant_id, period)
 LEFT JOIN public.wallet_entry AS e ON (e.tenant_id, e.operation)
   = (s.tenant_id, 'statement:' || to_char(s.period, 'YYYY-MM'))
 WHERE s.status <> 'draft' AND s.from_wallet <> coalesce(u.amount, 0) - coalesce(e.amount, 0) ORDER BY s.id"""
_UNRATED = """SELECT DISTINCT u.period::text || ' ' || u.tenant_id, 'a statement', 'none' FROM public.usage_entry AS u
  JOIN public.statement AS rated ON rated.period = u.period AND rated.status <> 'draft'
 WHERE u.kind <> 'cost' AND u.livemode AND NOT EXISTS (
   SELECT FROM public.statement AS s WHERE s.tenant_id = u.tenant_id AND s.period = u.period)"""
# Of spoken text the register knows only that it was said: that job has entries.
_JOBS = f"""SELECT j.id, coalesce(j.measured::text, 'entries'), coalesce(u.raw::text, 'none') FROM {ENDED_LIVE} AS j
 LEFT JOIN (SELECT subject_created_at AS created_at, subject_id AS id, sum(raw_quantity) AS raw FROM public.usage_entry
   WHERE kind = 'usage' AND livemode GROUP BY subject_created_at, subject_id) AS u USING (created_at, id)
 WHERE CASE WHEN j.measured IS NULL THEN u.raw IS NULL ELSE coalesce(u.raw, 0) <> j.measured END
 ORDER BY j.id"""  # noqa: S608
_COMPARED = (
    ("job and its entries", _JOBS),
    ("wallet's balance and its entries less what jobs took", _BALANCES),
    ("what jobs took of the wallet and the ledger", _SPENT),
    ("budget's held and the sum of its holds", _BUDGETS),
    ("ledger and its sums per quarter of an hour", _SUMS),
    ("packed day's sums and its total", _DAYS),
    ("statement's entries and the ledger's", _STATEMENTS),
    ("statement and its lines", _LINES),
    ("statement's part from the wallet and what the wallet paid", _PREPAID),
    ("tenant of a rated month", _UNRATED),
)


def check(*, months: Collection[date] | None = None, using: str = "system") -> list[Difference]:
    """Every difference found: jobs against their entries, wallets against holds, closed months against their hashes,
    partitions without guards.

    Reads all tenants, in one snapshot; a month of a million entries takes seconds. `months`: the closed ones that are
    hashed and rated anew; None means all.
    """
    connection = connections[using]
    # The cursor first: making one may run a statement (the search path), and the isolation level must come before any.
    with connection.cursor() as cursor, transaction.atomic(using=using, durable=True):
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        compared = [difference for what, sql in _COMPARED for difference in _unequal(cursor, what, sql)]
        return [
            *_wallets(cursor),
            *compared,
            *_periods(cursor, months, using=using),
            *_rated_anew(months, using=using),
            *altered_statements(using=using),
            *_partitions(cursor),
            *differences(cursor),
        ]


def _wallets(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_HELD)
    for tenant_id, held, holds in cursor.fetchall():
        yield Difference("wallet's held and the sum of its holds", str(tenant_id), str(holds), str(held))


def _unequal(cursor: Any, what: str, sql: str) -> Iterator[Difference]:
    cursor.execute(sql)
    for subject, expected, found in cursor.fetchall():
        yield Difference(what, str(subject), str(expected), str(found))


def _rated_anew(months: Collection[date] | None, *, using: str) -> Iterator[Difference]:
    for period in _closed(months, using=using).values_list("period", flat=True):
        yield from rated_otherwise(period, using=using)


def _closed(months: Collection[date] | None, *, using: str) -> Any:
    closed = BillingPeriod.objects.using(using).filter(status=BillingPeriod.Status.CLOSED).order_by("period")
    return closed if months is None else closed.filter(period__in=months)


def _periods(cursor: Any, months: Collection[date] | None, *, using: str) -> Iterator[Difference]:
    for row in _closed(months, using=using):
        entries, content_hash = content_of(cursor, row.period)
        if entries != row.entries:
            yield Difference("closed month's entries", f"{row.period:%Y-%m}", str(row.entries), str(entries))
        if content_hash != row.content_hash:
            yield Difference("closed month's hash", f"{row.period:%Y-%m}", row.content_hash, content_hash)


def altered_statements(*, using: str) -> Iterator[Difference]:
    """Statements whose terms and lines are not those that were rated: their SHA-256 differs."""
    for found in rated_statements(using=using):
        found_hash = content_hash(found.terms, found.lines)
        if found_hash != found.content_hash:
            yield Difference("statement's hash", str(found.id), found.content_hash, found_hash)


def _partitions(cursor: Any) -> Iterator[Difference]:
    cursor.execute(_UNGUARDED)
    for (name,) in cursor.fetchall():
        yield Difference("partition's triggers against change", name, "both", "missing or off")
