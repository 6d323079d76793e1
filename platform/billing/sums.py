"""Folding: the ledger's new sums go into their quarters of an hour. What is read is the same before and after."""

from __future__ import annotations

from django.db import connections, transaction

BATCH = 50_000

_BY = (
    "tenant_id", "quarter", "tag", "kind", "meter", "engine", "model", "mode", "feature", "api_key_id",
    "adjustment_id", "currency", "book_version", "unit_price", "unit_size", "period", "origin_period", "on_wallet",
)  # fmt: skip
SUMMED = ("quantity", "amount", "jobs", "entries")
_NAMES, _SUMS = ", ".join(_BY), ", ".join(SUMMED)
_KEY = "md5(concat(" + ", '|', ".join(_BY[2:]) + "))::uuid"

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


def fold(*, using: str = "system") -> int:
    """Fold until nothing is left; returns how many rows were moved. Any number of processes may fold at once."""
    moved = 0
    while True:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("SET LOCAL bytea_output = 'hex'")  # the key hashes it as text
            cursor.execute(_FOLD, [BATCH])
            batch = int(cursor.fetchone()[0])
        moved += batch
        if batch < BATCH:
            return moved
