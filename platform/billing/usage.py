"""A tenant's usage from the ledger's sums: packed days, quarters, what is not folded yet; and a range's edges itself.

Row-level security shows a tenant its own rows only; `cost` entries are the operator's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing import rating
from billing.buckets import bucket_starts, pieces_of, whole_quarters
from billing.contracts import Cost, UsageLine, UsageSummary

DIMENSIONS = {
    "meter": "meter", "engine": "engine", "model": "model", "mode": "mode", "key": "api_key_id", "tag": "tag",
}  # fmt: skip
USUAL = ("meter", "engine", "mode")

_COLUMNS = "tag, meter, engine, model, mode, api_key_id, currency"
_WHOSE = """tenant_id = %(tenant_id)s AND kind <> 'cost'
     AND (%(meter)s::text IS NULL OR meter = %(meter)s) AND (%(engine)s::text IS NULL OR engine = %(engine)s)
     AND (%(key)s::uuid IS NULL OR api_key_id = %(key)s) AND {tag}"""
# A packed day knows its sums up to every quarter of an hour, so a piece of it is one subtraction. Looked up piece by
# piece: a prepared plan that knows no number of pieces would else compare each with every day.
_PACKED = """SELECT bucket, NULL::timestamptz AS at, {columns},
     quantity_to[until] - coalesce(quantity_to[since], 0) AS quantity,
     amount_to[until] - coalesce(amount_to[since], 0) AS amount, jobs_to[until] - coalesce(jobs_to[since], 0) AS jobs
   FROM unnest(%(buckets)s::int[], %(days)s::int[], %(lows)s::int[], %(highs)s::int[])
     AS piece (bucket, number, low, high), LATERAL (
     SELECT {columns}, quantity_to, amount_to, jobs_to, width_bucket(low - 1, slots) AS since,
       width_bucket(high - 1, slots) AS until FROM public.usage_day
      WHERE day = date '1970-01-01' + number AND {whose} OFFSET 0) AS packed
   WHERE until > since"""
# Days that may still grow are known in whole quarters; the edges are read in the ledger, a job's lines as one job.
_SUMS = """SELECT NULL::int, quarter, {columns}, quantity, amount, jobs FROM public.{table}
   WHERE quarter >= %(first)s AND quarter < %(last)s AND {whose}"""
_EDGES = """SELECT NULL::int, min(occurred_at), {columns}, sum(billable_quantity), sum(amount),
     max(CASE WHEN kind = 'usage' AND (mode <> 'stream' OR sequence = 0) THEN 1 ELSE 0 END)
   FROM public.usage_entry, unnest(tags || ''::bytea) AS tag
   WHERE livemode AND {whose} AND occurred_at >= %({since})s AND occurred_at < %({until})s
   GROUP BY subject_id, date_bin('15 minutes', occurred_at, 'epoch'), {columns}"""
# Buckets by their place: thousands of lines have hundreds of different ones, and reading a time takes the client long.
_USAGE = """WITH used AS ({packed} UNION ALL {quarters} UNION ALL {deltas} UNION ALL {head} UNION ALL {tail})
 SELECT coalesce(bucket, width_bucket(at, %(starts)s::timestamptz[])) AS place, {shown}, currency,
   sum(quantity)::bigint, sum(amount), sum(jobs)::bigint
  FROM used GROUP BY place, {names}, currency ORDER BY place, {names}, currency"""


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
    starts = bucket_starts(start, end, group=group, time_zone=time_zone)
    first, last = whole_quarters(start, end)
    pieces = pieces_of(first, last, starts)
    values: dict[str, Any] = {
        "tenant_id": tenant_id, "start": start, "end": end, "first": first, "last": last, "starts": starts,
        "meter": meter, "engine": engine, "key": key,
        "tags": None if tags is None else list(tags), "buckets": pieces.buckets, "days": pieces.days,
        "lows": pieces.lows, "highs": pieces.highs,
    }  # fmt: skip
    lines = _read(values, by)
    whole = lines if "tag" not in by or tags is not None else _read(values, tuple(one for one in by if one != "tag"))
    return UsageSummary(lines, _totals(whole))


def _read(values: dict[str, Any], by: Sequence[str]) -> tuple[UsageLine, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(tuple(by), filtered=values["tags"] is not None), values)
        rows = cursor.fetchall()
    starts = [None, *values["starts"]]
    return tuple(UsageLine(starts[place], *row) for place, *row in rows)


def _sql(by: tuple[str, ...], *, filtered: bool) -> str:
    tag = "tag = ANY(%(tags)s::bytea[])" if filtered else "tag <> ''::bytea" if "tag" in by else "tag = ''::bytea"
    whose = _WHOSE.format(tag=tag)
    names = [DIMENSIONS[one] for one in DIMENSIONS if one in by] or ["meter"]
    parts = {
        "packed": _PACKED.format(columns=_COLUMNS, whose=whose),
        "quarters": _SUMS.format(columns=_COLUMNS, table="usage_quarter", whose=whose),
        "deltas": _SUMS.format(columns=_COLUMNS, table="usage_delta", whose=whose),
        "head": _EDGES.format(columns=_COLUMNS, whose=whose, since="start", until="first"),
        "tail": _EDGES.format(columns=_COLUMNS, whose=whose, since="last", until="end"),
    }
    shown = ", ".join(name if name in names else f"NULL AS {name}" for name in DIMENSIONS.values())
    return _USAGE.format(names=", ".join(names), shown=shown, **parts)


def _totals(lines: Sequence[UsageLine]) -> tuple[Cost, ...]:
    amounts: dict[str, list[Decimal]] = {}
    for line in lines:
        amounts.setdefault(line.currency, []).append(line.amount)
    return tuple(Cost(rating.total(amounts[currency]), currency) for currency in sorted(amounts))
