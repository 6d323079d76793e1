"""Storing an event inside the database, as a part of the one statement that finishes a job."""

_PUBLISH = """
CREATE OR REPLACE FUNCTION public.parlance_publish(
  at timestamptz, new_id uuid, of_tenant uuid, in_livemode boolean, of_type text, about uuid, number int, content bytea
) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO outbox_event (created_at, id, tenant_id, livemode, type, subject_id, sequence, body)
  VALUES (at, new_id, of_tenant, in_livemode, of_type, about, number, content);
END $$;
"""

FUNCTIONS = (_PUBLISH,)
