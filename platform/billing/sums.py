"""Folding: the ledger's new sums go into their quarters of an hour, and quarters of days that are over into their day.

What is read is the same before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections, transaction

BATCH = 50_000
PACK_LOCK = 7_265_007
# A job that ends after midnight may have occurred before it: a day is packed when a whole other one has passed.
_OVER = "date_trunc('day', now(), 'UTC') - interval '1 day'"

_OF = (
    "tag", "kind", "meter", "engine", "model", "mode", "feature", "api_key_id", "adjustment_id", "currency",
    "book_version", "unit_price", "unit_size", "period", "origin_period", "on_wallet",
)  # fmt: skip
SUMMED = ("quantity", "amount", "jobs", "entries")
_DIMENSIONS, _SUMS = ", ".join(_OF), ", ".join(SUMMED)
_NAMES = f"tenant_id, quarter, {_DIMENSIONS}"
_KEY = "md5(concat(" + ", '|', ".join(_OF) + "))::uuid"

# A row is in one of the two tables for every reader: it moves in one statement.
_FOLD = f"""WITH taken AS (
  DELETE FROM public.usage_delta WHERE id IN (
    SELECT id FROM public.usage_delta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING *
), folded AS (
  INSERT INTO public.usage_quarter AS q ({_NAMES}, {_SUMS}, key)
  SELECT {_NAMES}, {", ".join(f"sum({name})" for name in SUMMED)}, {_KEY} FROM taken GROUP BY {_NAMES}
   ORDER BY tenant_id, quarter
  ON CONFLICT (tenant_id, quarter, key) DO UPDATE
    SET {", ".join(f"{name} = q.{name} + excluded.{name}" for name in SUMMED)}
) SELECT count(*) FROM taken"""  # noqa: S608  # constants only

# A packed day that gets late usage is made anew. One process packs at a time, so nobody else makes the same day.
_PACK = f"""WITH taken AS (
  DELETE FROM public.usage_quarter WHERE id IN (
    SELECT id FROM public.usage_quarter WHERE quarter < {_OVER} ORDER BY tenant_id, quarter LIMIT %s
     FOR UPDATE SKIP LOCKED) RETURNING *, (quarter AT TIME ZONE 'UTC')::date AS day
), days AS (
  SELECT tenant_id, day, key, {_DIMENSIONS}, sum(entries) AS entries
    FROM taken GROUP BY tenant_id, day, key, {_DIMENSIONS}
), before AS (
  DELETE FROM public.usage_day WHERE id IN (SELECT found.id FROM days, LATERAL (
    SELECT id FROM public.usage_day AS d
     WHERE (d.tenant_id, d.day, d.key) = (days.tenant_id, days.day, days.key) OFFSET 0) AS found) RETURNING *
), parts AS (
  SELECT tenant_id, day, key, extract(epoch FROM quarter - day::timestamp AT TIME ZONE 'UTC')::int / 900 AS slot,
    quantity, amount, jobs FROM taken
  UNION ALL SELECT tenant_id, day, key, slots[i], quantity_to[i] - coalesce(quantity_to[i - 1], 0),
    amount_to[i] - coalesce(amount_to[i - 1], 0), jobs_to[i] - coalesce(jobs_to[i - 1], 0)
    FROM before, generate_subscripts(slots, 1) AS i
), slots AS (
  SELECT tenant_id, day, key, slot, sum(sum(quantity)) OVER up_to AS quantity, sum(sum(amount)) OVER up_to AS amount,
    sum(sum(jobs)) OVER up_to AS jobs FROM parts GROUP BY tenant_id, day, key, slot
  WINDOW up_to AS (PARTITION BY tenant_id, day, key ORDER BY slot)
), packed AS (
  SELECT tenant_id, day, key, array_agg(slot ORDER BY slot) AS slots, array_agg(quantity ORDER BY slot) AS quantity_to,
    array_agg(amount ORDER BY slot) AS amount_to, array_agg(jobs ORDER BY slot) AS jobs_to
    FROM slots GROUP BY tenant_id, day, key
), made AS (
  INSERT INTO public.usage_day (tenant_id, day, key, {_DIMENSIONS}, slots, quantity_to, amount_to, jobs_to, {_SUMS})
  SELECT tenant_id, day, key, {", ".join(f"days.{name}" for name in _OF)}, packed.slots, packed.quantity_to,
    packed.amount_to, packed.jobs_to, packed.quantity_to[cardinality(packed.slots)],
    packed.amount_to[cardinality(packed.slots)], packed.jobs_to[cardinality(packed.slots)],
    days.entries + coalesce(before.entries, 0)
    FROM packed JOIN days USING (tenant_id, day, key) LEFT JOIN before USING (tenant_id, day, key)
) SELECT count(*) FROM taken"""  # noqa: S608  # constants only


def fold(*, using: str = "system") -> int:
    """Fold and pack until nothing is left; returns how many rows were folded. Any number of processes may do it."""
    folded = _repeat(_fold_batch, using=using)
    _repeat(_pack_batch, using=using)
    return folded


def _repeat(batch: Callable[[Any], int], *, using: str) -> int:
    moved = 0
    while True:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            done = batch(cursor)
        moved += done
        if done < BATCH:
            return moved


def _fold_batch(cursor: Any) -> int:
    cursor.execute("SET LOCAL bytea_output = 'hex'")  # the key hashes it as text
    cursor.execute(_FOLD, [BATCH])
    return int(cursor.fetchone()[0])


def _pack_batch(cursor: Any) -> int:
    cursor.execute(f"SELECT EXISTS (SELECT FROM public.usage_quarter WHERE quarter < {_OVER})")  # noqa: S608
    if not cursor.fetchone()[0]:
        return 0
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [PACK_LOCK])
    if not cursor.fetchone()[0]:
        return 0
    cursor.execute(_PACK, [BATCH])
    return int(cursor.fetchone()[0])
