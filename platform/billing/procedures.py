"""A hold and its settlement inside the database, as parts of the one statement that accepts or finishes a job.

They run with the caller's rights, behind the walls. `holds` and `settlement` are the same for every other path.
"""

# False, and nothing changed: the wallet does not cover it. Racing accepts queue at the wallet's row.
_PLACE = """
CREATE OR REPLACE FUNCTION public.parlance_place_hold(
  for_job uuid, of_tenant uuid, wanted numeric, in_currency text, version int
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  taken boolean;
BEGIN
  IF wanted IS NULL THEN
    RETURN true;  -- a test key's job holds nothing
  END IF;
  UPDATE wallet SET held = held + wanted
   WHERE tenant_id = of_tenant AND currency = in_currency AND held + wanted <= balance + credit_limit;
  taken := FOUND;
  IF NOT taken AND EXISTS (SELECT FROM wallet WHERE tenant_id = of_tenant) THEN
    RETURN false;
  END IF;
  INSERT INTO hold (job_id, tenant_id, amount, currency, book_version, on_wallet)
  VALUES (for_job, of_tenant, wanted, in_currency, version, taken);
  RETURN true;
END $$;
"""

# A second entry for the same subject would violate the ledger's key, and a missing hold is nobody's to bill: both
# undo the whole finish.
_SETTLE = """
CREATE OR REPLACE FUNCTION public.parlance_settle(
  of_job uuid, of_tenant uuid, by_key uuid, created timestamptz, of_engine text, of_model text, in_mode text,
  by_meter text, raw bigint, billable bigint, price numeric, unit bigint, due numeric
) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  gone record;
  origin date := parlance_origin_month(of_tenant, now());
BEGIN
  IF due IS NULL THEN
    RETURN;  -- a test key's job costs nothing
  END IF;
  DELETE FROM hold WHERE job_id = of_job RETURNING amount, currency, book_version, on_wallet INTO gone;
  IF NOT FOUND OR due > gone.amount THEN
    RAISE EXCEPTION 'the hold of a job is missing or too small' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  INSERT INTO usage_entry (subject_created_at, subject_id, tenant_id, livemode, api_key_id, currency, book_version,
    on_wallet, occurred_at, period, origin_period, kind, sequence, engine, model, mode, meter, raw_quantity,
    billable_quantity, unit_price, unit_size, amount)
  VALUES (created, of_job, of_tenant, true, by_key, gone.currency, gone.book_version, gone.on_wallet, now(),
    parlance_open_period(origin), origin, 'usage', 0, of_engine, of_model, in_mode, by_meter, raw, billable, price,
    unit, due);
  IF gone.on_wallet THEN
    UPDATE wallet SET held = held - gone.amount, balance = balance - due WHERE tenant_id = of_tenant;
  END IF;
END $$;
"""

FUNCTIONS = (_PLACE, _SETTLE)
