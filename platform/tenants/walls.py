"""The app role sees its own tenant row and keys; a key is looked up by its digest through one function only."""

from apikit.walls import Wall

WALLS = (
    Wall("tenant", app="SELECT", system="SELECT", tenant_column="id"),
    Wall("api_key", app="SELECT, INSERT, UPDATE", system="", finance=""),
    Wall("operator_key", system="", finance="", tenant_column=None),
    Wall("data_key", app="SELECT", system="", finance=""),
    Wall("upload_origins", app="SELECT, INSERT, UPDATE", system="SELECT", finance=""),
    Wall("schema_plan", finance="", tenant_column=None),
)

# Before the tenant is known, row-level security hides every key. This function opens one row to whoever holds the
# digest of the whole key, and nothing else. To return more it takes a new name: processes of the version before hold
# prepared statements over the old one while they are replaced.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION public.parlance_caller(wanted bytea[])
    RETURNS TABLE (key_id uuid, tenant_id uuid, schema_name varchar, livemode boolean, scopes varchar[],
      ip_allow varchar[], expires_at timestamptz, revoked_at timestamptz, status varchar, weight int, currency varchar,
      policies jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT k.id, t.id, t.schema_name, k.livemode, k.scopes, k.ip_allow, k.expires_at, k.revoked_at, t.status,
        t.weight, t.currency, t.policies
      FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE k.digest = ANY(wanted)
    $$;
    REVOKE ALL ON FUNCTION public.parlance_caller(bytea[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_caller(bytea[]) TO "{app}";

    CREATE OR REPLACE FUNCTION public.parlance_key_holder(wanted bytea[])
    RETURNS TABLE (key_id uuid, tenant_id uuid, schema_name varchar, livemode boolean, scopes varchar[],
      ip_allow varchar[], expires_at timestamptz, revoked_at timestamptz, status varchar, weight int, currency varchar,
      policies jsonb, routing jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT k.id, t.id, t.schema_name, k.livemode, k.scopes, k.ip_allow, k.expires_at, k.revoked_at, t.status,
        t.weight, t.currency, t.policies, k.routing
      FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE k.digest = ANY(wanted)
    $$;
    REVOKE ALL ON FUNCTION public.parlance_key_holder(bytea[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_key_holder(bytea[]) TO "{app}";

    CREATE OR REPLACE FUNCTION public.parlance_known_key(wanted bytea[])
    RETURNS TABLE (key_id uuid, tenant_id uuid, schema_name varchar, livemode boolean, scopes varchar[],
      ip_allow varchar[], expires_at timestamptz, revoked_at timestamptz, status varchar, weight int, currency varchar,
      policies jsonb, routing jsonb, limits jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT k.id, t.id, t.schema_name, k.livemode, k.scopes, k.ip_allow, k.expires_at, k.revoked_at, t.status,
        t.weight, t.currency, t.policies, k.routing, k.limits
      FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE k.digest = ANY(wanted)
    $$;
    REVOKE ALL ON FUNCTION public.parlance_known_key(bytea[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_known_key(bytea[]) TO "{app}";

    CREATE OR REPLACE FUNCTION public.parlance_key_used(used uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      UPDATE api_key SET last_used_at = now() WHERE id = ANY(used)
        AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    $$;
    REVOKE ALL ON FUNCTION public.parlance_key_used(uuid[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_key_used(uuid[]) TO "{app}"
    """,
    # Closing ends here, once the grace is over. The sweeper may erase such a tenant and no other.
    """
    CREATE OR REPLACE FUNCTION public.parlance_erase_tenant(wanted uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    DECLARE
      erased text;
    BEGIN
      UPDATE tenant SET erased_at = now()
       WHERE id = wanted AND status = 'closed' AND erase_at <= now() AND erased_at IS NULL
      RETURNING schema_name INTO erased;
      IF erased IS NULL THEN RETURN false; END IF;
      EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', erased);
      DELETE FROM data_key WHERE tenant_id = wanted;
      DELETE FROM upload_origins WHERE tenant_id = wanted;
      DELETE FROM staff_link WHERE tenant_id = wanted;
      DELETE FROM staff_session WHERE tenant_id = wanted;
      DELETE FROM staff WHERE tenant_id = wanted;
      RETURN true;
    END $$;
    REVOKE ALL ON FUNCTION public.parlance_erase_tenant(uuid) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_erase_tenant(uuid) TO "{system}"
    """,
    # The sweeper may tell of keys, and read nothing else of them: neither digests nor who made them.
    """
    CREATE OR REPLACE FUNCTION public.parlance_keys_that_end()
    RETURNS TABLE (id uuid, tenant_id uuid, livemode boolean, name varchar, hint varchar, scopes varchar[],
      ip_allow varchar[], limits jsonb, routing jsonb, created_at timestamptz, created_by varchar,
      expires_at timestamptz, revoked_at timestamptz, replaced_by uuid, last_used_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      UPDATE api_key k SET expiring_told = true
       WHERE NOT k.expiring_told AND k.revoked_at IS NULL AND k.expires_at > now()
        AND k.expires_at - now() < least(interval '7 days', (k.expires_at - k.created_at) / 4)
      RETURNING k.id, k.tenant_id, k.livemode, k.name, k.hint, k.scopes, k.ip_allow, k.limits, k.routing, k.created_at,
        k.created_by, k.expires_at, k.revoked_at, k.replaced_by, k.last_used_at
    $$;
    REVOKE ALL ON FUNCTION public.parlance_keys_that_end() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_keys_that_end() TO "{system}"
    """,
    # No role but the owner reads operators' keys. Who holds the digest of a whole one learns what it may do.
    """
    CREATE OR REPLACE FUNCTION public.parlance_operator(wanted bytea[])
    RETURNS TABLE (id uuid, ip_allow varchar[], expires_at timestamptz, revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT k.id, k.ip_allow, k.expires_at, k.revoked_at FROM operator_key k WHERE k.digest = ANY(wanted)
    $$;
    REVOKE ALL ON FUNCTION public.parlance_operator(bytea[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_operator(bytea[]) TO "{app}";

    CREATE OR REPLACE FUNCTION public.parlance_operator_used(used uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      UPDATE operator_key SET last_used_at = now() WHERE id = used
        AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    $$;
    REVOKE ALL ON FUNCTION public.parlance_operator_used(uuid) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_operator_used(uuid) TO "{app}"
    """,
)
