"""What accepting and finishing do inside the database, so that a job costs two round trips and not twenty.

Each statement in a function's body has a snapshot of its own: whoever has waited for a lock sees what was committed
meanwhile. They run with the caller's rights, behind the walls.
"""

from __future__ import annotations

from dispatch.queue import LANE_LOCK

_LANE = """
CREATE OR REPLACE FUNCTION public.parlance_lane(
  for_queue text, for_tenant uuid, for_livemode boolean, new_weight int, idle_only boolean, beside text
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  found_id bigint;
BEGIN
  SELECT l.id INTO found_id FROM lane l
   WHERE l.queue = for_queue AND l.tenant_id = for_tenant AND l.livemode = for_livemode;
  IF found_id IS NULL THEN
    INSERT INTO lane (queue, tenant_id, livemode, weight) VALUES (for_queue, for_tenant, for_livemode, new_weight)
      ON CONFLICT (queue, tenant_id, livemode) DO NOTHING;
    SELECT l.id INTO found_id FROM lane l
     WHERE l.queue = for_queue AND l.tenant_id = for_tenant AND l.livemode = for_livemode;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(LANE_LOCK, found_id::int);
  IF idle_only AND NOT (
    SELECT NOT l.active AND CASE WHEN for_queue LIKE 'cloud:%' THEN public.parlance_has_slot(l.id)
      ELSE NOT EXISTS (SELECT 1 FROM work_item w WHERE w.lane_id = l.id AND w.state = 'leased'
        AND w.lease_until > now() OFFSET 3) END FROM lane l WHERE l.id = found_id
  ) THEN
    RETURN NULL;
  END IF;
  IF idle_only AND EXISTS (SELECT 1 FROM lane l WHERE l.queue = beside AND l.tenant_id = for_tenant
    AND l.livemode = for_livemode AND l.active) THEN
    RETURN NULL;
  END IF;
  RETURN found_id;
END $$;
"""

_ADD_JOB = """
CREATE OR REPLACE FUNCTION public.parlance_add_job(
  to_lane bigint, new_id uuid, of_tenant uuid, in_livemode boolean, of_kind text, in_class text, by_key uuid,
  deadline_s int, version int, trace text, first_step text, cost bigint, charged bigint, lease_s int,
  measured bigint, by_engine text
) RETURNS TABLE (at timestamptz, item_id bigint, token uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  IF to_lane IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO job (id, tenant_id, livemode, kind, service_class, api_key_id, deadline_at, price_version, traceparent,
    created_at, state, started_at, measured_ms, engine, segments_total, segments_left)
  VALUES (new_id, of_tenant, in_livemode, of_kind, in_class, by_key, now() + deadline_s * interval '1 second', version,
    trace, now(), CASE WHEN by_engine IS NULL THEN 'queued' ELSE 'running' END,
    CASE WHEN by_engine IS NOT NULL THEN now() END, measured, by_engine,
    CASE WHEN by_engine IS NULL THEN 0 ELSE 1 END, CASE WHEN by_engine IS NULL THEN 0 ELSE 1 END);
  IF lease_s IS NULL THEN
    UPDATE lane l SET active = true, virtual_time = greatest(l.virtual_time, coalesce((SELECT c.virtual_time
      FROM queue_clock c WHERE c.queue = l.queue ORDER BY c.virtual_time DESC LIMIT 1), 0))
     WHERE l.id = to_lane AND NOT l.active;
    INSERT INTO work_item (job_id, tenant_id, lane_id, step, cost_ms, turn)
    SELECT new_id, of_tenant, to_lane, first_step, cost, l.turn FROM lane l WHERE l.id = to_lane;
  ELSE
    UPDATE lane l SET virtual_time = greatest(l.virtual_time, coalesce((SELECT c.virtual_time
      FROM queue_clock c WHERE c.queue = l.queue ORDER BY c.virtual_time DESC LIMIT 1), 0)) + charged * 100 / l.weight
     WHERE l.id = to_lane;
    INSERT INTO work_item AS w (job_id, tenant_id, lane_id, step, cost_ms, state, attempt, lease_token, lease_until)
    VALUES (new_id, of_tenant, to_lane, first_step, cost, 'leased', 1, gen_random_uuid(),
      now() + lease_s * interval '1 second') RETURNING w.id, w.lease_token INTO item_id, token;
  END IF;
  at := now();
  RETURN NEXT;
END $$;
"""

# Job first and item second, like every writer. Null, and nothing done: the job has ended or the lease is lost.
_COMPLETE = """
CREATE OR REPLACE FUNCTION public.parlance_complete_job(
  done_id uuid, item bigint, held_token uuid, finished timestamptz, due_kind text
) RETURNS int LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  number int;
BEGIN
  PERFORM FROM job WHERE id = done_id AND state = 'running' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  DELETE FROM work_item WHERE id = item AND lease_token = held_token AND state = 'leased';
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE job SET state = 'completed', finished_at = finished, done_ms = coalesce(measured_ms, done_ms),
    segments_left = 0,
    event_sequence = event_sequence + 1 WHERE id = done_id RETURNING event_sequence INTO number;
  INSERT INTO due_date (kind, tenant_id, subject_id, due_at)
  SELECT due_kind, j.tenant_id, j.id, now() FROM job j WHERE j.id = done_id AND due_kind IS NOT NULL;
  RETURN number;
END $$;
"""

# The attempt that the item waits for, or a new one; nothing when the job has ended or the lease is lost. One that was
# begun and never told of is over: nobody can know whether the provider has heard of it.
_BEGIN_ATTEMPT = """
CREATE OR REPLACE FUNCTION public.parlance_begin_attempt(
  item bigint, held_token uuid, of_job uuid, by_engine text, by_model text
) RETURNS TABLE (found_number int, found_external_id text, age_s float8)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  held work_item%ROWTYPE;
BEGIN
  PERFORM FROM job WHERE id = of_job AND state = 'running' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO held FROM work_item WHERE id = item AND lease_token = held_token AND state = 'leased';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF held.call IS NOT NULL THEN
    RETURN QUERY SELECT a.number, a.external_id::text, extract(epoch FROM now() - a.started_at)::float8
      FROM engine_attempt a WHERE a.job_id = of_job AND a.number = held.call AND a.external_id <> '';
    IF FOUND THEN
      RETURN;
    END IF;
    UPDATE engine_attempt a SET ended_at = now(), outcome = 'interrupted'
     WHERE a.job_id = of_job AND a.number = held.call AND a.ended_at IS NULL;
  END IF;
  UPDATE engine_attempt a SET ended_at = now(), outcome = 'interrupted'  -- rivals of a call that was
   WHERE a.job_id = of_job AND a.number > held.call AND a.ordinal = held.ordinal AND a.ended_at IS NULL;
  SELECT coalesce(max(a.number), 0) + 1 INTO found_number FROM engine_attempt a WHERE a.job_id = of_job;
  INSERT INTO engine_attempt (job_id, number, tenant_id, ordinal, start_ms, end_ms, engine, model)
  VALUES (of_job, found_number, held.tenant_id, held.ordinal, held.start_ms, held.end_ms, by_engine, by_model);
  UPDATE work_item SET call = found_number WHERE id = item;
  found_external_id := '';
  age_s := 0;
  RETURN NEXT;
END $$;
"""

FUNCTIONS = tuple(sql.replace("LANE_LOCK", str(LANE_LOCK)) for sql in (_LANE, _ADD_JOB, _COMPLETE, _BEGIN_ATTEMPT))
