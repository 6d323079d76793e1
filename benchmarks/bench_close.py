"""The ledger in bulk: entries in batches with duplicates, the close of a month with its hash, and reading usage.

500 tenants, one of them with 30 % of the rows. PARLANCE_BENCH_MONTHS (12) months of PARLANCE_BENCH_ROWS (1,000,000).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from benchmarks import common

TENANTS = 500
MONTHS = int(os.environ.get("PARLANCE_BENCH_MONTHS", "12"))
ROWS = int(os.environ.get("PARLANCE_BENCH_ROWS", "1000000"))
IMPORTED, READS, ZONES = 100_000, 200, ("UTC", "Asia/Seoul", "Asia/Kolkata", "America/New_York")
GOAL = ">= 10,000 entries/s with duplicates; 1 M of 12 M closed in <= 10 s (10 M: 60 s); usage p95 <= 50 ms"

# Rows of tenants that have no schema: the ledger does not ask for one. The first has 30 of 100.
_TENANTS = """INSERT INTO tenant (id, schema_name, name, status, weight, currency, time_zone, schema_fingerprint,
  created_at) SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 't_' || n, 'tenant ' || n,
  'active', 100, 'USD', 'UTC', '', now() FROM generate_series(0, %(tenants)s - 1) AS n"""
_FILL = """INSERT INTO usage_entry (subject_created_at, subject_id, tenant_id, livemode, currency, book_version,
   occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity, billable_quantity,
   unit_price, unit_size, amount)
 SELECT at, gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(CASE WHEN n %% 10 < 3 THEN 0
     ELSE 1 + n %% (%(tenants)s - 1) END), 12, '0'))::uuid, true, 'USD', 1, at, %(month)s, %(month)s, 'usage', 0,
   (ARRAY['simulated', 'pocketsphinx'])[1 + n %% 2], '', (ARRAY['batch', 'sync'])[1 + n / 2 %% 2], 'audio_ms',
   1000 + n %% 60000, 1000 + n %% 60000, 0.006, 60000, round((1000 + n %% 60000) * 0.006 / 60000, 9)
  FROM (SELECT n, %(month)s::timestamp AT TIME ZONE 'UTC' + interval '1 second' * (n * 2400000 / %(rows)s) AS at
   FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n) AS made"""
PART = 250_000


def _months() -> list[date]:
    last = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    found = [last]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def _fill(month: date) -> None:
    from django.db import connections, transaction

    for start in range(0, ROWS, PART):
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            values = {"tenants": TENANTS, "month": month, "rows": ROWS, "from": start, "to": min(ROWS, start + PART)}
            cursor.execute(_FILL, values)


def _imported(count: int) -> Iterator[Any]:
    from billing.facade import ImportedEntry

    at, tenant = datetime.now(UTC), UUID("00000000-0000-7000-8000-000000000001")
    price = Decimal("0.006")
    made = [
        ImportedEntry(at, uuid4(), "audio_ms", 0, tenant, None, "simulated", "", "batch", 60_000, 60_000, price, 60_000,
                      price, "USD", 1, at)
        for _ in range(count)
    ]  # fmt: skip
    for number, entry in enumerate(made):
        yield entry
        if number % 5 == 4:
            yield made[number - 3]  # one in six comes twice


def _ingest() -> dict[str, Any]:
    from billing.facade import import_entries

    entries = list(_imported(IMPORTED))
    begun_s = time.perf_counter()
    added = import_entries(entries)
    first_s = time.perf_counter() - begun_s
    again = import_entries(entries)
    return {
        "ingest_per_s": round(len(entries) / first_s), "added": added, "added_again": again,
        "again_per_s": round(len(entries) / (time.perf_counter() - begun_s - first_s)),
    }  # fmt: skip


def _close(month: date) -> dict[str, Any]:
    from billing.facade import close_period, rate_month

    begun_s = time.perf_counter()
    closed = close_period(month)
    hashed_s = time.perf_counter() - begun_s
    rated = rate_month(month)
    return {
        "close_s": round(time.perf_counter() - begun_s, 2), "hash_s": round(hashed_s, 2), "entries": closed.entries,
        "statements": rated,
    }  # fmt: skip


def _read(month: date) -> dict[str, Any]:
    from billing.facade import usage_summary
    from tenants.facade import TenantRef, tenant_context

    largest = UUID("00000000-0000-7000-8000-000000000000")
    dice, took_ms = random.Random(7), []
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    with tenant_context(TenantRef(id=largest, schema_name="public")):
        for _ in range(READS):
            end = start + timedelta(days=dice.randint(20, 28), minutes=dice.randint(0, 1_000))
            begun_s = time.perf_counter()
            found = usage_summary(
                largest, livemode=True, start=start + timedelta(minutes=dice.randint(0, 1_000)), end=end,
                group=dice.choice(["day", "hour", None]), time_zone=dice.choice(ZONES),
            )  # fmt: skip
            took_ms.append((time.perf_counter() - begun_s) * 1_000)
            assert found.lines
    took_ms.sort()
    return {"usage_p50_ms": round(took_ms[READS // 2], 1), "usage_p95_ms": round(took_ms[READS * 95 // 100], 1)}


def measure() -> dict[str, Any]:
    """Fill, fold, then the three."""
    with common.stack(), ExitStack():
        from django.db import connections

        from billing.facade import fold_usage, make_partitions

        months = _months()
        make_partitions(back=MONTHS + 1)
        with connections["owner"].cursor() as cursor:
            cursor.execute(_TENANTS, {"tenants": TENANTS})
        begun_s = time.perf_counter()
        for month in months:
            _fill(month)
        filled_s = time.perf_counter() - begun_s
        folded = fold_usage()
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE usage_entry")
            cursor.execute("ANALYZE usage_quarter")
        figures = {**_ingest(), **_close(months[0]), **_read(months[0])}
        return {
            **figures, "rows": ROWS * MONTHS, "tenants": TENANTS, "filled_s": round(filled_s), "sums": folded,
            "goal": GOAL,
            "reached": figures["ingest_per_s"] >= 10_000 and figures["close_s"] <= (10 if ROWS <= 1_000_000 else 60)
            and figures["usage_p95_ms"] <= 50 and figures["added_again"] == 0,
        }  # fmt: skip


if __name__ == "__main__":
    common.run("close", measure, limit_s=1_500)
