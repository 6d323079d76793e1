"""Who may do what with the queue's tables."""

from apikit.walls import Wall
from dispatch import procedures

WALLS = (
    Wall("job", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE"),
    Wall("lane", app="SELECT, INSERT, UPDATE", system="SELECT, INSERT, UPDATE"),
    Wall("work_item", app="SELECT, INSERT, UPDATE, DELETE", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("queue_clock", app="SELECT", system="SELECT, INSERT, DELETE", tenant_column=None),
    Wall("dead_letter", app="SELECT, INSERT", system="SELECT, INSERT, UPDATE"),
    Wall("due_date", app="SELECT, INSERT, DELETE", system="SELECT, UPDATE, DELETE"),
    Wall("executor_host", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE", tenant_column=None),
)

# Whoever waits for jobs knows their ids; this tells which of them have ended, and nothing else about them.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION public.parlance_ended(wanted uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT id FROM job WHERE id = ANY(wanted) AND state IN ('completed', 'failed', 'canceled')
    $$;
    REVOKE ALL ON FUNCTION public.parlance_ended(uuid[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_ended(uuid[]) TO "{app}"
    """,
    *procedures.FUNCTIONS,
)
