"""Who may do what with the queue's tables."""

from apikit.walls import Wall
from dispatch import procedures

WALLS = (
    Wall("job", app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE"),
    Wall("lane", app="SELECT, INSERT, UPDATE", system="SELECT, INSERT, UPDATE"),
    Wall("work_item", app="SELECT, INSERT, UPDATE, DELETE", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("queue_clock", app="SELECT", system="SELECT, INSERT, DELETE", tenant_column=None),
    Wall("engine_attempt", app="SELECT, INSERT, UPDATE", system="SELECT, DELETE"),
    Wall("dead_letter", app="SELECT, INSERT", system="SELECT, INSERT, UPDATE"),
    Wall("due_date", app="SELECT, INSERT, UPDATE, DELETE", system="SELECT, UPDATE, DELETE"),
    Wall("quarantine", app="SELECT", system="SELECT", tenant_column=None),
    Wall("executor_host", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE", tenant_column=None),
)

# Whoever waits for jobs knows their ids; this tells how far each has come, and nothing else about them.
FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION public.parlance_marks(wanted uuid[])
    RETURNS TABLE (id uuid, state text, segments_left int, done_ms bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      SELECT id, state, segments_left, done_ms FROM job WHERE id = ANY(wanted)
    $$;
    REVOKE ALL ON FUNCTION public.parlance_marks(uuid[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_marks(uuid[]) TO "{app}"
    """,
    # How long a lane of the caller's own has to wait until `ahead_ms` of its own work is under way: nothing else of
    # other tenants comes out. Their lanes are served up to the virtual time at which the item's turn comes, as far as
    # they have work and half an item beyond, each in at most half of the slots; half of what runs now is still to be
    # done; of two classes `batch` gets a fifth while both have work. Looks at 500 lanes and 20 items of each: who has
    # more has enough.
    """
    CREATE OR REPLACE FUNCTION public.parlance_lane_work_ms(of_lane bigint, OUT ms numeric, OUT item_ms numeric)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
      SELECT CASE WHEN count(*) = 20 THEN 1e15 ELSE sum(cost_ms) END, avg(cost_ms) FROM (
        SELECT cost_ms FROM work_item WHERE lane_id = of_lane AND state = 'queued' ORDER BY turn, id LIMIT 20) w
    $$;
    REVOKE ALL ON FUNCTION public.parlance_lane_work_ms(bigint) FROM PUBLIC;
    CREATE OR REPLACE FUNCTION public.parlance_expected_wait_ms(own_lane bigint, ahead_ms bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    DECLARE
      own lane%ROWTYPE; executor_name text; other_queue text; is_batch boolean;
      slots numeric; open_slots numeric; running_ms numeric; work numeric[]; other_class_ms numeric; wait_ms numeric;
    BEGIN
      SELECT * INTO own FROM lane
       WHERE id = own_lane AND tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid;
      executor_name := split_part(own.queue, '/', 1);
      is_batch := own.queue LIKE '%/batch';
      other_queue := executor_name || CASE WHEN is_batch THEN '/interactive' ELSE '/batch' END;
      SELECT sum(h.slots), sum(CASE WHEN is_batch AND h.slots > 1 THEN h.slots - 1 ELSE h.slots END)
       INTO slots, open_slots FROM executor_host h WHERE h.executor = executor_name AND h.alive_until > now();
      IF slots IS NULL OR own.max_running = 0 THEN RETURN NULL; END IF;
      WITH leased AS MATERIALIZED (SELECT lane_id, cost_ms FROM work_item
        WHERE state = 'leased' AND lease_token IS NOT NULL AND lease_until > now() LIMIT 5000)
      SELECT coalesce(sum(leased.cost_ms), 0) / 2 INTO running_ms
       FROM leased JOIN lane l ON l.id = leased.lane_id WHERE l.queue IN (own.queue, other_queue);
      SELECT array_agg(least(l.due_ms + w.item_ms / 2, w.ms)) INTO work FROM (
        SELECT id, (own.virtual_time - virtual_time + ahead_ms * 100.0 / own.weight) * weight / 100.0 AS due_ms
        FROM lane WHERE queue = own.queue AND active AND id <> own.id
         AND virtual_time <= own.virtual_time + ahead_ms * 100 / own.weight ORDER BY virtual_time LIMIT 500) l,
       LATERAL public.parlance_lane_work_ms(l.id) w WHERE w.ms > 0;
      SELECT coalesce(sum(w.ms), 0) INTO other_class_ms FROM (
        SELECT id FROM lane WHERE queue = other_queue AND active ORDER BY virtual_time LIMIT 500) l,
       LATERAL public.parlance_lane_work_ms(l.id) w;
      wait_ms := (ahead_ms + coalesce((SELECT sum(ms) FROM unnest(work) ms), 0)) / open_slots;
      FOR round IN 1..12 LOOP
        wait_ms := (ahead_ms + coalesce((SELECT sum(least(ms, wait_ms * greatest(1, floor(slots / 2))))
          FROM unnest(work) ms), 0)) / open_slots;
      END LOOP;
      wait_ms := greatest(wait_ms, ahead_ms / least(own.max_running,
        CASE WHEN work IS NULL THEN open_slots ELSE greatest(1, floor(slots / 2)) END));
      wait_ms := wait_ms
        + least(wait_ms * open_slots * CASE WHEN is_batch THEN 4 ELSE 0.25 END, other_class_ms) / slots;
      RETURN round(wait_ms + running_ms / slots);
    END $$;
    REVOKE ALL ON FUNCTION public.parlance_expected_wait_ms(bigint, bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_expected_wait_ms(bigint, bigint) TO "{app}"
    """,
    # Whether a call of a provider may be made beside its queue: the executor has a free slot, whoever holds the others
    # in whatever process, and the caller's lane is under its caps. Nothing else of other tenants comes out.
    """
    CREATE OR REPLACE FUNCTION public.parlance_has_slot(own_lane bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    DECLARE
      own lane%ROWTYPE; executor_name text; slots bigint; taken bigint; mine bigint;
    BEGIN
      SELECT * INTO own FROM lane
       WHERE id = own_lane AND tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid;
      executor_name := split_part(own.queue, '/', 1);
      SELECT coalesce(sum(h.slots), 0) INTO slots FROM executor_host h
       WHERE h.executor = executor_name AND h.alive_until > now();
      WITH leased AS MATERIALIZED (SELECT lane_id FROM work_item
        WHERE state = 'leased' AND lease_token IS NOT NULL AND lease_until > now())
      SELECT count(*), count(*) FILTER (WHERE l.id = own.id) INTO taken, mine
       FROM leased JOIN lane l ON l.id = leased.lane_id
       WHERE l.queue IN (executor_name || '/interactive', executor_name || '/batch');
      RETURN taken < slots AND mine < coalesce(own.max_running, slots) AND (mine < greatest(1, slots / 2)
        OR NOT EXISTS (SELECT FROM lane o WHERE o.queue = own.queue AND o.active AND o.id <> own.id));
    END $$;
    REVOKE ALL ON FUNCTION public.parlance_has_slot(bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.parlance_has_slot(bigint) TO "{app}"
    """,
    *procedures.FUNCTIONS,
)
