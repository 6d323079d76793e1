"""A tenant's usage from the ledger's sums: what was folded, what was not yet, and the edges of a range itself.

Row-level security shows a tenant its own rows only; `cost` entries are the operator's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing import rating
from billing.contracts import Cost, UsageLine, UsageSummary

QUARTER_MINUTES = 15
DIMENSIONS = {
    "meter": "meter", "engine": "engine", "model": "model", "mode": "mode", "key": "api_key_id", "tag": "tag",
}  # fmt: skip
USUAL = ("meter", "engine", "mode")

_COLUMNS = "tag, meter, engine, model, mode, api_key_id, currency"
_WHOSE = """tenant_id = %(tenant_id)s AND kind <> 'cost'
     AND (%(meter)s::text IS NULL OR meter = %(meter)s) AND (%(engine)s::text IS NULL OR engine = %(engine)s)
     AND (%(key)s::uuid IS NULL OR api_key_id = %(key)s) AND {tag}"""
# What the sums know in whole quarters; the edges are read in the ledger, a job's lines as one job.
_SUMS = """SELECT quarter AS at, {columns}, quantity, amount, jobs FROM public.{table}
   WHERE quarter >= %(first)s AND quarter < %(last)s AND {whose}"""
_EDGES = """SELECT min(occurred_at) AS at, {columns}, sum(billable_quantity), sum(amount),
     max(CASE WHEN kind = 'usage' AND (mode <> 'stream' OR sequence = 0) THEN 1 ELSE 0 END)
   FROM public.usage_entry, unnest(tags || ''::bytea) AS tag
   WHERE livemode AND {whose} AND occurred_at >= %({since})s AND occurred_at < %({until})s
   GROUP BY subject_id, date_bin('15 minutes', occurred_at, 'epoch'), {columns}"""
# Buckets as numbers: thousands of lines have hundreds of different ones, and reading a time takes the client long. They
# become numbers once per line, not once per quarter.
_USAGE = """WITH used AS ({quarters} UNION ALL {deltas} UNION ALL {head} UNION ALL {tail}), summed AS (
 SELECT CASE WHEN %(group)s::text IS NOT NULL THEN date_trunc(%(group)s::text, at, %(time_zone)s) END AS bucket,
   {shown}, currency, sum(quantity)::bigint AS quantity, sum(amount) AS amount, sum(jobs)::bigint AS jobs
  FROM used GROUP BY bucket, {names}, currency)
 SELECT extract(epoch FROM bucket)::bigint, {every}, currency, quantity, amount, jobs
  FROM summed ORDER BY bucket, {names}, currency"""


def usage_summary(
    tenant_id: UUID,
    *,
    livemode: bool,
    start: datetime,
    end: datetime,
    group: str | None = None,
    time_zone: str = "UTC",
    by: Sequence[str] = USUAL,
    meter: str | None = None,
    engine: str | None = None,
    key: UUID | None = None,
    tags: Sequence[bytes] | None = None,
) -> UsageSummary:
    """Usage that occurred in [start, end), by the dimensions asked for, and per hour or day of an IANA time zone.

    `group` is None, "hour" or "day"; a day begins at local midnight, also where clocks change. By `tag`, a job with two
    tags is in both lines, and totals count it once. `tags`: only entries with one of these hashes.
    """
    if not livemode:
        return UsageSummary((), ())  # test keys bill nothing
    first, last = _whole_quarters(start, end)
    values: dict[str, Any] = {
        "tenant_id": tenant_id, "start": start, "end": end, "first": first, "last": last, "group": group,
        "time_zone": time_zone, "meter": meter, "engine": engine, "key": key,
        "tags": None if tags is None else list(tags),
    }  # fmt: skip
    lines = _read(values, by)
    whole = lines if "tag" not in by or tags is not None else _read(values, tuple(one for one in by if one != "tag"))
    return UsageSummary(lines, _totals(whole))


def _read(values: dict[str, Any], by: Sequence[str]) -> tuple[UsageLine, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(tuple(by), filtered=values["tags"] is not None), values)
        rows = cursor.fetchall()
    moments = {bucket: datetime.fromtimestamp(bucket, UTC) for bucket in {row[0] for row in rows} - {None}}
    return tuple(UsageLine(moments.get(row[0]), *row[1:]) for row in rows)


def _sql(by: tuple[str, ...], *, filtered: bool) -> str:
    tag = "tag = ANY(%(tags)s::bytea[])" if filtered else "tag <> ''::bytea" if "tag" in by else "tag = ''::bytea"
    whose = _WHOSE.format(tag=tag)
    names = [DIMENSIONS[one] for one in DIMENSIONS if one in by] or ["meter"]
    parts = {
        "quarters": _SUMS.format(columns=_COLUMNS, table="usage_quarter", whose=whose),
        "deltas": _SUMS.format(columns=_COLUMNS, table="usage_delta", whose=whose),
        "head": _EDGES.format(columns=_COLUMNS, whose=whose, since="start", until="first"),
        "tail": _EDGES.format(columns=_COLUMNS, whose=whose, since="last", until="end"),
    }
    shown = ", ".join(name if name in names else f"NULL AS {name}" for name in DIMENSIONS.values())
    return _USAGE.format(names=", ".join(names), shown=shown, every=", ".join(DIMENSIONS.values()), **parts)


def _whole_quarters(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The quarters of an hour that lie wholly inside; both the same moment when there are none."""
    step = timedelta(minutes=QUARTER_MINUTES)
    first = _quarter(start)
    first = min(first if first == start else first + step, end)
    return first, max(first, _quarter(end))


def _quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // QUARTER_MINUTES * QUARTER_MINUTES, second=0, microsecond=0)


def _totals(lines: Sequence[UsageLine]) -> tuple[Cost, ...]:
    amounts: dict[str, list[Decimal]] = {}
    for line in lines:
        amounts.setdefault(line.currency, []).append(line.amount)
    return tuple(Cost(rating.total(amounts[currency]), currency) for currency in sorted(amounts))
