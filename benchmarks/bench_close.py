"""The ledger in bulk: entries in batches with duplicates, the close of a month with its hash, the nightly comparison,
usage and export by HTTP.

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

import httpx

from benchmarks import common

TENANTS = 500
MONTHS = int(os.environ.get("PARLANCE_BENCH_MONTHS", "12"))
ROWS = int(os.environ.get("PARLANCE_BENCH_ROWS", "1000000"))
IMPORTED, READS, YEAR_READS = 100_000, 200, 20
ZONES = ("UTC", "Asia/Seoul", "Asia/Kolkata", "America/New_York")
GOAL = (
    ">= 10,000 entries/s with duplicates; 1 M of 12 M closed in <= 10 s (10 M: 60 s); usage p95 <= 50 ms; "
    "0 differences; export <= 32 MB"
)

# Rows of tenants that have no schema: the ledger does not ask for one. The largest, with 30 of 100, is a real one.
_TENANTS = """INSERT INTO tenant (id, schema_name, name, status, weight, currency, time_zone, schema_fingerprint,
  created_at) SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 't_' || n, 'tenant ' || n,
  'active', 100, 'USD', 'UTC', '', now() FROM generate_series(1, %(tenants)s - 1) AS n"""
_FILL = """INSERT INTO usage_entry (subject_created_at, subject_id, tenant_id, livemode, currency, book_version,
   occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity, billable_quantity,
   unit_price, unit_size, amount)
 SELECT at, gen_random_uuid(), CASE WHEN n %% 10 < 3 THEN %(largest)s::uuid
     ELSE ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n %% (%(tenants)s - 1)), 12, '0'))::uuid END, true,
   'USD', 1, at, %(month)s, %(month)s, 'usage', 0,
   (ARRAY['simulated', 'pocketsphinx'])[1 + n %% 2], '', (ARRAY['batch', 'sync'])[1 + n / 2 %% 2], 'audio_ms',
   1000 + n %% 60000, 1000 + n %% 60000, 0.006, 60000, round((1000 + n %% 60000) * 0.006 / 60000, 9)
  FROM (SELECT n, %(month)s::timestamp AT TIME ZONE 'UTC' + interval '1 second' * (n * 2400000 / %(rows)s) AS at
   FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n) AS made"""
PART = 250_000
PAUSE_S = 2.0  # of the export's reader: what is not sent yet must not pile up


def _months() -> list[date]:
    last = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    found = [last]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def _fill(month: date, *, largest: UUID) -> None:
    from django.db import connections, transaction

    for start in range(0, ROWS, PART):
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            values = {"tenants": TENANTS, "month": month, "rows": ROWS, "from": start, "to": min(ROWS, start + PART)}
            cursor.execute(_FILL, values | {"largest": largest})


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


def _reconcile(month: date) -> dict[str, Any]:
    """As a night does: everything compared, the month that was just closed hashed and rated anew."""
    from billing.facade import check

    begun_s = time.perf_counter()
    differences = check(months=[month])
    return {"reconcile_s": round(time.perf_counter() - begun_s, 1), "differences": len(differences)}


class Customer:
    """The largest tenant, with a live key and a connection to the web process."""

    def __init__(self) -> None:
        from tenants.facade import authenticate, create_key, create_tenant

        self.secret = create_key(create_tenant("largest").id).secret
        self.id = UUID(str(authenticate(self.secret, address="127.0.0.1").tenant_id))

    def client(self, web: common.Web) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{web.port}", headers=headers, timeout=120, trust_env=False)


def _read(client: httpx.Client, month: date) -> dict[str, Any]:
    """Ranges inside the month that begin and end anywhere; and whole years, day by day."""
    dice = random.Random(7)
    start = datetime(month.year, month.month, 1, tzinfo=UTC)

    def ask(since: datetime, until: datetime, group: str | None) -> float:
        wanted = {"from": since.isoformat(), "to": until.isoformat(), "time_zone": dice.choice(ZONES)}
        begun_s = time.perf_counter()
        answer = client.get("/v1/usage", params=wanted | ({"group": group} if group else {}))
        took_ms = (time.perf_counter() - begun_s) * 1_000
        assert answer.json()["data"], answer.text
        return took_ms

    def within_the_month() -> float:
        since, until = timedelta(minutes=dice.randint(0, 1_000)), timedelta(days=dice.randint(20, 28))
        return ask(start + since, start + until, dice.choice(["day", "hour", None]))

    month_ms = [within_the_month() for _ in range(READS)]
    year_ms = [ask(start - timedelta(days=337), start + timedelta(days=28), "day") for _ in range(YEAR_READS)]
    return {
        "usage_p50_ms": common.tidy(common.percentile(month_ms, 50), 1),
        "usage_p95_ms": common.tidy(common.percentile(month_ms, 95), 1),
        "usage_year_p95_ms": common.tidy(common.percentile(year_ms, 95), 1),
    }


def _export(client: httpx.Client, web: common.Web, customer: Customer, month: date) -> dict[str, Any]:
    """The largest statement as JSON lines, to a reader that pauses at first; what it adds to the web's memory."""
    from apikit import ids
    from billing.facade import approve_statement, list_statements, review_statement

    (found,) = list_statements(period=month, tenant_id=customer.id)
    review_statement(found.id, actor="ann")
    approve_statement(found.id, actor="ben")
    before_mb, lines, most_mb = _web_mb(web), 0, 0.0
    begun_s = time.perf_counter()
    with client.stream("GET", f"/v1/statements/{ids.show(ids.STATEMENT, found.id)}/export") as answer:
        pieces = answer.iter_bytes()
        lines += next(pieces).count(b"\n")
        time.sleep(PAUSE_S)
        most_mb = _web_mb(web)
        for number, piece in enumerate(pieces):
            lines += piece.count(b"\n")
            if number % 100 == 0:
                most_mb = max(most_mb, _web_mb(web))
    took_s = time.perf_counter() - begun_s - PAUSE_S
    assert lines > found.entries, "the export was cut"
    return {
        "export_entries": found.entries, "export_entries_per_s": round(found.entries / took_s),
        "export_added_mb": common.tidy(most_mb - before_mb, 1),
    }  # fmt: skip


def _web_mb(web: common.Web) -> float:
    return sum(common.memory_mb(pid)[1] for pid in common.tree(web.pid))


def measure() -> dict[str, Any]:
    """Fill, fold, then ingest, close, read and export."""
    with common.stack() as stack, ExitStack() as inside:
        from django.db import connections

        from billing.facade import fold_usage, make_partitions

        months, customer = _months(), Customer()
        make_partitions(back=MONTHS + 1)
        with connections["owner"].cursor() as cursor:
            cursor.execute(_TENANTS, {"tenants": TENANTS})
        begun_s = time.perf_counter()
        for month in months:
            _fill(month, largest=customer.id)
        filled_s = time.perf_counter() - begun_s
        folded = fold_usage()
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE usage_entry")
            cursor.execute("ANALYZE usage_quarter, usage_day")
        figures = {**_ingest(), **_close(months[0]), **_reconcile(months[0])}
        web = inside.enter_context(common.web(stack))
        client = inside.enter_context(customer.client(web))
        figures |= {**_read(client, months[0]), **_export(client, web, customer, months[0])}
        return {
            **figures, "rows": ROWS * MONTHS, "tenants": TENANTS, "filled_s": round(filled_s), "sums": folded,
            "goal": GOAL,
            "reached": figures["ingest_per_s"] >= 10_000 and figures["close_s"] <= (10 if ROWS <= 1_000_000 else 60)
            and figures["usage_p95_ms"] <= 50 and figures["export_added_mb"] <= 32
            and figures["added_again"] == figures["differences"] == 0,
        }  # fmt: skip


if __name__ == "__main__":
    common.run("close", measure, limit_s=1_500)
