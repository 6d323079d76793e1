"""Tables partitioned by day or month: made ahead by the sweeper, expired by DROP instead of DELETE.

The functions run as the owner (SECURITY DEFINER), because the system role may not create tables.
"""

from __future__ import annotations

# parlance_make_partitions('events_outbox', 'day', 3): the current period and the next 3.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION public.parlance_make_partitions(parent text, step text, ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  start_at timestamptz; made int := 0; name text;
BEGIN
  IF step NOT IN ('day', 'month') OR to_regclass(format('public.%I', parent)) IS NULL THEN
    RAISE EXCEPTION 'unknown partitioned table or step';
  END IF;
  FOR i IN 0..ahead LOOP
    start_at := date_trunc(step, now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    start_at := (start_at AT TIME ZONE 'UTC' + (i || ' ' || step)::interval) AT TIME ZONE 'UTC';
    name := parent || '_' || to_char(start_at AT TIME ZONE 'UTC',
      CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END);
    IF to_regclass(format('public.%I', name)) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', name, parent,
        start_at, (start_at AT TIME ZONE 'UTC' + ('1 ' || step)::interval) AT TIME ZONE 'UTC');
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;

CREATE OR REPLACE FUNCTION public.parlance_drop_partitions(parent text, step text, keep int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  oldest text; child record; dropped int := 0;
BEGIN
  IF step <> 'day' THEN RAISE EXCEPTION 'only daily tables expire'; END IF;
  oldest := parent || '_' || to_char((now() - (keep || ' day')::interval) AT TIME ZONE 'UTC', 'YYYYMMDD');
  FOR child IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(format('public.%I', parent)) AND c.relname ~ ('^' || parent || '_[0-9]{8}$')
      AND c.relname < oldest
  LOOP
    EXECUTE format('DROP TABLE public.%I', child.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION public.parlance_make_partitions(text, text, int) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.parlance_drop_partitions(text, text, int) FROM PUBLIC;
"""
