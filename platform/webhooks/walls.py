"""Tenants keep their endpoints and read their log; fan-out and senders work as the system."""

from apikit.walls import Wall

WALLS = (
    Wall("webhook_endpoint", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE", finance=""),
    Wall("delivery", app="SELECT, UPDATE", system="SELECT, INSERT, UPDATE", finance=""),
    Wall("delivery_attempt", app="SELECT", system="SELECT, INSERT, UPDATE", finance=""),
    Wall("job_webhook", app="SELECT, INSERT, DELETE", system="SELECT, DELETE", finance=""),
    Wall("event_text", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE", finance=""),
    Wall("kept_answer", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE", finance=""),
    Wall("webhook_replay", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE, DELETE", finance=""),
    Wall("alert_address", app="SELECT, INSERT, DELETE", system="SELECT", finance=""),
    Wall("mail_outbox", app="SELECT, INSERT", system="SELECT, INSERT, UPDATE, DELETE", finance=""),
)

# Receivers fetch public keys without an API key. This function opens the keys of one living endpoint to whoever knows
# its id, and nothing else about it.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION public.parlance_webhook_keys(wanted uuid) RETURNS TABLE (public_key varchar)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT key FROM webhook_endpoint e, LATERAL (VALUES (1, e.public_key, NULL::timestamptz),
        (2, e.previous_public_key, e.previous_key_expires_at)) AS k (number, key, expires_at)
      WHERE e.id = wanted AND e.deleted_at IS NULL AND key <> '' AND (expires_at IS NULL OR expires_at > now())
      ORDER BY number
    $$;
    REVOKE ALL ON FUNCTION public.parlance_webhook_keys(uuid) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_webhook_keys(uuid) TO "{app}"
    """,
)
