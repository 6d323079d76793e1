"""A fair start: tenant A has queued 10,000 hours and keeps every slot busy; how long does B's 5 s clip wait?

Segments are shortened from 15 s of work to a quarter of a second, a timed sleep, so waits are told as shares of one
segment. Real wake-ups, real claims, real workers: only the engine sleeps. Three scenes:

    reserved   A's hours are batch work; one slot is closed to batch
    crowded    A has thousands of interactive items too, so even that slot is busy
    one_slot   a worker with a single slot, where nothing can be closed to batch
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks import common

GOAL = "with all slots loaded and 10,000 hours of A queued, B's 5 s clip starts within one segment's time (p99)"
EXECUTOR = "local:bench"
SEGMENT_S = 0.25  # stands for 15 s of work
CLIP_S = 0.01  # 5 s of audio at the same speed
SEGMENT_COST_MS, CLIP_COST_MS = 15_000, 500
SEGMENT_AUDIO_MS = 150_000  # at ten times real time
HOURS = 10_000
SLOTS = 4
SAMPLES = 30
FIXED_MS = 50  # wake-up and claim take their time whatever the segment's length; a real segment is 60 times longer
GAP_S = 0.7  # at most, between one clip's start and the next clip's arrival

_LANE = """INSERT INTO lane (queue, tenant_id, livemode, active) VALUES (%(queue)s, %(tenant)s, true, true)
 ON CONFLICT DO NOTHING"""
_JOBS = """INSERT INTO job (id, tenant_id, livemode, kind, state, service_class, deadline_at, segments_total,
  segments_left)
 SELECT gen_random_uuid(), %(tenant)s, true, 'bench', 'running', %(class)s, now() + interval '1 day', %(each)s, %(each)s
 FROM generate_series(1, %(items)s / %(each)s)"""
_ITEMS = """INSERT INTO work_item (job_id, tenant_id, lane_id, step, ordinal, start_ms, end_ms, cost_ms, turn)
 SELECT j.id, j.tenant_id, l.id, 'transcribe', s, s * %(audio)s, (s + 1) * %(audio)s, %(cost)s, l.turn + s
 FROM job j JOIN lane l ON l.tenant_id = j.tenant_id AND l.queue = %(queue)s, generate_series(0, %(each)s - 1) s
 WHERE j.tenant_id = %(tenant)s AND j.service_class = %(class)s"""
_CLEAR = "DELETE FROM work_item; DELETE FROM lane; DELETE FROM job; DELETE FROM queue_clock; DELETE FROM executor_host"


@dataclass(frozen=True, slots=True)
class Scene:
    """One way of being busy."""

    name: str
    slots: int
    crowded: bool


SCENES = (Scene("reserved", SLOTS, False), Scene("crowded", SLOTS, True), Scene("one_slot", 1, False))


def serve(slots: int, *, report_fd: int) -> None:
    """The worker process: `workers.worker` with one executor whose engine sleeps. Reports what starts and when."""
    from workers.app import set_up

    set_up("bench-worker")
    from celery.signals import worker_shutting_down

    from dispatch.facade import TASK, JobKind, Lease, Worker, celery_app
    from dispatch.jobs import remove
    from tenants.facade import tenant_context, tenant_ref

    def work(lease: Lease) -> list[Lease]:
        line = json.dumps([str(lease.job_id), time.monotonic(), lease.cost_ms])
        os.write(report_fd, line.encode() + b"\n")
        time.sleep(SEGMENT_S if lease.cost_ms == SEGMENT_COST_MS else CLIP_S)
        with tenant_context(tenant_ref(lease.tenant_id)):
            remove(lease)
        return []

    stop = threading.Event()
    kinds = {"bench": JobKind(run=work, fail=lambda *_: None)}
    worker = Worker(kinds, slots={EXECUTOR: slots}, stop=stop)
    app = celery_app()
    app.task(name=TASK)(worker.drain)
    worker_shutting_down.connect(lambda **_: stop.set(), weak=False)
    threading.Thread(target=worker.keep_registered, kwargs={"every_s": 5.0}, daemon=True).start()
    app.worker_main(
        ["worker", "--pool=threads", f"--concurrency={slots + 2}", f"--queues={EXECUTOR}", "--without-gossip",
         "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    )  # fmt: skip


class Starts:
    """What the worker process reports: which job started when."""

    def __init__(self, stream: int) -> None:
        self._changed = threading.Condition()
        self.begun_s: dict[UUID, float] = {}
        self.segments = 0
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: int) -> None:
        with os.fdopen(stream, "rb") as lines:
            for line in lines:
                job_id, begun_s, cost_ms = json.loads(line)
                with self._changed:
                    self.segments += cost_ms == SEGMENT_COST_MS
                    self.begun_s.setdefault(UUID(job_id), begun_s)
                    self._changed.notify_all()

    def await_job(self, job_id: UUID) -> float:
        """When it began, by the clock that all processes share."""
        with self._changed:
            if not self._changed.wait_for(lambda: job_id in self.begun_s, timeout=30):
                raise RuntimeError("a clip did not start within 30 s")
            return self.begun_s[job_id]

    def await_segments(self, count: int) -> None:
        """Until so many segments have begun."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.segments >= count, timeout=30):
                raise RuntimeError("the worker did not begin")


@contextmanager
def _worker(stack: common.Stack, *, slots: int) -> Iterator[Starts]:
    read_fd, write_fd = os.pipe()
    command = common.this_script("serve", str(slots), str(write_fd))
    with (stack.folder / "worker.log").open("ab") as log:
        child = subprocess.Popen(
            command, env=stack.env, stdout=log, stderr=log, pass_fds=(write_fd,), start_new_session=True
        )
    os.close(write_fd)
    try:
        yield Starts(read_fd)
    finally:
        common.end(child)


def _queue_a(tenant: UUID, *, service_class: str, items: int, cost_ms: int, each: int) -> None:
    from django.db import connections

    values: dict[str, Any] = {
        "tenant": tenant, "class": service_class, "queue": f"{EXECUTOR}/{service_class}", "items": items,
        "each": each, "audio": SEGMENT_AUDIO_MS, "cost": cost_ms,
    }  # fmt: skip
    with connections["owner"].cursor() as cursor:
        for sql in (_LANE, _JOBS, _ITEMS):
            cursor.execute(sql, values)
        cursor.execute("ANALYZE work_item, job, lane")


def _send_clip(tenant: Any) -> tuple[UUID, float]:
    """B's clip through the product's own enqueue, interactive; its id, and when it was committed."""
    from django.db import transaction

    from apikit.ids import new_id
    from dispatch.facade import INTERACTIVE, NewItem, NewJob, add_job, enqueue, wake_on_commit
    from tenants.facade import tenant_context, tenant_ref

    job = NewJob(
        id=new_id(), tenant_id=tenant, livemode=True, kind="bench", service_class=INTERACTIVE, api_key_id=tenant,
        price_version=1, weight=100, deadline_s=3600, traceparent="",
    )  # fmt: skip
    with tenant_context(tenant_ref(tenant)), transaction.atomic():
        add_job(job)
        enqueue(job, [NewItem(step="transcribe", executor=EXECUTOR, cost_ms=CLIP_COST_MS, end_ms=5_000)])
        wake_on_commit(EXECUTOR)
    return job.id, time.monotonic()


def _play(stack: common.Stack, scene: Scene, *, a: UUID, b: UUID) -> dict[str, Any]:
    from django.db import connections

    from dispatch.facade import wake

    with connections["owner"].cursor() as cursor:
        cursor.execute(_CLEAR)
    _queue_a(a, service_class="batch", items=HOURS * 3_600_000 // SEGMENT_AUDIO_MS, cost_ms=SEGMENT_COST_MS, each=240)
    if scene.crowded:
        _queue_a(a, service_class="interactive", items=2_000, cost_ms=SEGMENT_COST_MS, each=1)
    with _worker(stack, slots=scene.slots) as starts:
        for _ in range(scene.slots):
            wake(EXECUTOR)
            time.sleep(0.05)
        starts.await_segments(2 * scene.slots)
        waits_s, segments, begun_s = [], starts.segments, time.monotonic()
        for _ in range(SAMPLES):
            time.sleep(random.uniform(0, GAP_S))
            job_id, sent_s = _send_clip(b)
            waits_s.append(max(0.0, starts.await_job(job_id) - sent_s))
        per_s = (starts.segments - segments) / (time.monotonic() - begun_s)
    return _figures(scene, waits_s=waits_s, segments_per_s=per_s)


def _figures(scene: Scene, *, waits_s: list[float], segments_per_s: float) -> dict[str, Any]:
    for_batch = scene.slots if scene.crowded or scene.slots == 1 else scene.slots - 1
    return {
        "wait_p50_ms": common.tidy(common.percentile(waits_s, 50) * 1000, 1),
        "wait_p99_ms": common.tidy(common.percentile(waits_s, 99) * 1000, 1),
        "wait_p99_segments": common.tidy(common.percentile(waits_s, 99) / SEGMENT_S),
        "segments_per_s": common.tidy(segments_per_s, 1),
        # What a slot that may work on A's segments spends on each beside its work: claims, finish, and B's clips.
        "overhead_ms_per_segment": common.tidy((for_batch / segments_per_s - SEGMENT_S) * 1000, 1),
        "slots_that_serve_a": for_batch,
    }


def measure() -> dict[str, Any]:
    """Thirty clips in each scene."""
    with common.stack() as stack:
        from tenants.facade import create_tenant

        a, b = create_tenant("A").id, create_tenant("B").id
        scenes = {scene.name: _play(stack, scene, a=a, b=b) for scene in SCENES}
    worst_ms = max(scene["wait_p99_ms"] for scene in scenes.values())
    worst_overhead_ms = max(scene["overhead_ms_per_segment"] for scene in scenes.values())
    return {
        **scenes,
        "segment_ms": SEGMENT_S * 1000,
        "slots": SLOTS,
        "queued_hours": HOURS,
        "clips_each": SAMPLES,
        "throughput_cost": {
            "reserved_slot_share": common.tidy(1 / SLOTS),
            "at_15_s_segments": common.tidy(worst_overhead_ms / 15_000, 4),
        },
        "goal": f"{GOAL}, {FIXED_MS} ms of wake-up and claim apart",
        "reached": worst_ms <= SEGMENT_S * 1000 + FIXED_MS,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), report_fd=int(sys.argv[3]))
    else:
        common.run("fair_start", measure, limit_s=150)
