"""Holds and settlement inside the database: one way for every path, as parts of one statement or called alone.

They run with the caller's rights, behind the walls. Rows are locked in this order: hold, budgets, month, wallet.
"""

# Spent counts the budget's own month; an older month's number is history.
_SPENT = "CASE WHEN period = parlance_origin_month(of_tenant, now()) THEN spent ELSE 0 END"

# False, and nothing changed: a hard budget or the wallet does not cover it. Racing accepts queue at those rows, and
# each sees what the one before it took.
_PLACE = f"""
CREATE OR REPLACE FUNCTION public.parlance_place_hold(
  for_job uuid, of_tenant uuid, by_key uuid, wanted numeric, in_currency text, version int
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  taken boolean; counted uuid[]; refused boolean;
BEGIN
  IF wanted IS NULL THEN
    RETURN true;  -- a test key's job holds nothing
  END IF;
  SELECT array_agg(id), bool_or(hard AND amount < held + wanted + {_SPENT}) INTO counted, refused FROM (
    SELECT * FROM budget WHERE tenant_id = of_tenant AND (api_key_id IS NULL OR api_key_id = by_key)
     ORDER BY id FOR UPDATE) AS mine;
  IF refused THEN
    RETURN false;
  END IF;
  UPDATE wallet SET held = held + wanted
   WHERE tenant_id = of_tenant AND currency = in_currency AND held + wanted <= balance + credit_limit;
  taken := FOUND;
  IF NOT taken AND EXISTS (SELECT FROM wallet WHERE tenant_id = of_tenant) THEN
    RETURN false;
  END IF;
  IF counted IS NOT NULL THEN
    UPDATE budget SET held = held + wanted WHERE id = ANY(counted);
  END IF;
  INSERT INTO hold (job_id, tenant_id, amount, currency, book_version, on_wallet, budgets)
  VALUES (for_job, of_tenant, wanted, in_currency, version, taken, coalesce(counted, ARRAY[]::uuid[]));
  RETURN true;
END $$;
"""

# The hold at another amount. False, and nothing changed: a hard budget or the wallet does not cover it.
_CHANGE = f"""
CREATE OR REPLACE FUNCTION public.parlance_change_hold(of_job uuid, wanted numeric) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  mine record; delta numeric; of_tenant uuid;
BEGIN
  SELECT * INTO mine FROM hold WHERE job_id = of_job FOR UPDATE;
  delta := wanted - mine.amount;
  of_tenant := mine.tenant_id;
  PERFORM FROM budget WHERE id = ANY(mine.budgets) ORDER BY id FOR UPDATE;
  IF delta > 0 AND EXISTS (
    SELECT FROM budget WHERE id = ANY(mine.budgets) AND hard AND amount < held + delta + {_SPENT})
  THEN
    RETURN false;
  END IF;
  IF mine.on_wallet THEN
    UPDATE wallet SET held = held + delta
     WHERE tenant_id = mine.tenant_id AND (delta <= 0 OR held + delta <= balance + credit_limit);
    IF NOT FOUND THEN
      RETURN false;
    END IF;
  END IF;
  UPDATE budget SET held = held + delta WHERE id = ANY(mine.budgets);
  UPDATE hold SET amount = wanted WHERE job_id = of_job;
  RETURN true;
END $$;
"""

# A second call finds no hold and changes nothing.
_RELEASE = """
CREATE OR REPLACE FUNCTION public.parlance_release_hold(of_job uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  gone record;
BEGIN
  DELETE FROM hold WHERE job_id = of_job RETURNING * INTO gone;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  UPDATE budget SET held = held - gone.amount
   WHERE id IN (SELECT id FROM budget WHERE id = ANY(gone.budgets) ORDER BY id FOR UPDATE);
  IF gone.on_wallet THEN
    UPDATE wallet SET held = held - gone.amount WHERE tenant_id = gone.tenant_id;
  END IF;
END $$;
"""

# Lines of a job become entries, and what they cost leaves the hold; `last` gives the rest of it back. The wallet pays
# for rows that this call added. A missing hold is nobody's to bill, and a line above it nobody's to pay: both undo the
# whole finish.
_SETTLE = f"""
CREATE OR REPLACE FUNCTION public.parlance_settle_lines(
  of_job uuid, of_tenant uuid, by_key uuid, created timestamptz, occurred timestamptz, last boolean, tagged bytea[],
  kinds text[], sequences int[], engines text[], models text[], modes text[], features text[], meters text[],
  raws bigint[], billables bigint[], prices numeric[], units bigint[], dues numeric[]
) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  mine record; due numeric; freed numeric;
  origin date := parlance_origin_month(of_tenant, coalesce(occurred, now()));
BEGIN
  IF kinds IS NULL THEN
    RETURN;  -- a test key's job costs nothing
  END IF;
  IF last THEN
    DELETE FROM hold WHERE job_id = of_job RETURNING * INTO mine;
  ELSE
    SELECT * INTO mine FROM hold WHERE job_id = of_job FOR UPDATE;
  END IF;
  IF NOT FOUND OR (SELECT sum(d) FROM unnest(dues) AS d) > mine.amount THEN
    RAISE EXCEPTION 'the hold of a job is missing or too small' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF cardinality(mine.budgets) > 0 THEN
    PERFORM FROM budget WHERE id = ANY(mine.budgets) ORDER BY id FOR UPDATE;
  END IF;
  WITH added AS (
    INSERT INTO usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency, book_version,
      on_wallet, tags, occurred_at, period, origin_period, kind, sequence, engine, model, mode, feature, meter,
      raw_quantity, billable_quantity, unit_price, unit_size, amount)
    SELECT created, of_job, of_tenant, true, by_key, mine.currency, mine.book_version, mine.on_wallet,
      coalesce(tagged, ARRAY[]::bytea[]), coalesce(occurred, now()), opened.period, origin, line.*
      FROM (SELECT parlance_open_period(origin) AS period OFFSET 0) AS opened,
        unnest(kinds, sequences, engines, models, modes, features, meters, raws, billables, prices, units, dues) AS line
    ON CONFLICT DO NOTHING RETURNING amount
  ) SELECT coalesce(sum(amount), 0) INTO due FROM added;
  freed := CASE WHEN last THEN mine.amount ELSE due END;
  IF NOT last THEN
    UPDATE hold SET amount = amount - due WHERE job_id = of_job;
  END IF;
  IF mine.on_wallet THEN
    UPDATE wallet SET held = held - freed, balance = balance - due, spent = spent + due WHERE tenant_id = of_tenant;
  END IF;
  IF cardinality(mine.budgets) > 0 THEN
    UPDATE budget SET held = held - freed, spent = due + {_SPENT}, period = parlance_origin_month(of_tenant, now()),
      told = CASE WHEN period = parlance_origin_month(of_tenant, now()) THEN told ELSE 0 END
     WHERE id = ANY(mine.budgets);
  END IF;
END $$;
"""

FUNCTIONS = (_PLACE, _CHANGE, _RELEASE, _SETTLE)
