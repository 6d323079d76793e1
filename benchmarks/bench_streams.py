"""A thousand idle event streams in one web process: what they weigh, what they hold, and how soon news reaches one.

Its database connections are those of its few request threads, kept from request to request: none may be at work, and
there may not be more of them than such threads.

The streams wait for jobs that nobody works on. Beside them one more stream follows a job of another tenant whose state
this process commits itself, so that the time from the commit to the event is known.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from apikit.threads import MAX_THREADS
from benchmarks import common

GOAL = "1,000 idle streams grow RSS <= 60 MB and hold no database connection"
STREAMS, NEWS = 1_000, 200
MAX_GROWTH_MB = 60.0
SETTLE_S = 20.0  # a heartbeat has come to every stream
PAUSE_S = 0.01
LIMIT_S = 60.0
READ_BYTES = 65_536

_CONNECTIONS = "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity WHERE usename = %s"


def _make_jobs(key: str, *, count: int) -> list[str]:
    """Running jobs of the key's tenant that nobody works on, as the API shows their ids."""
    from django.db import transaction

    from apikit import ids
    from dispatch.facade import NewJob, start
    from dispatch.queue import add_job
    from speech.models import TranscriptionRequest
    from tenants.facade import authenticate, tenant_context

    caller = authenticate(key, address="127.0.0.1")
    made = [ids.new_id() for _ in range(count)]
    with tenant_context(caller.tenant), transaction.atomic():
        for job_id in made:
            add_job(
                NewJob(id=job_id, tenant_id=caller.tenant_id, livemode=True, kind="transcription",
                       service_class="batch", api_key_id=caller.key_id, price_version=None, weight=100,
                       deadline_s=86_400, traceparent="")
            )  # fmt: skip
            TranscriptionRequest.objects.create(job_id=job_id, livemode=True, media={"heard_channels": 1})
            start(job_id)
    return [ids.show(ids.TRANSCRIPTION, job_id) for job_id in made]


def _open(port: int, *, key: str, job_id: str) -> socket.socket:
    """A stream whose first event has arrived."""
    wire = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    head = f"GET /v1/transcriptions/{job_id}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    wire.sendall(head.encode())
    _await(wire, b"event: status")
    return wire


def _await(wire: socket.socket, wanted: bytes) -> None:
    """Return once these bytes have come."""
    came = b""
    while wanted not in came:
        part = wire.recv(READ_BYTES)
        if not part:
            raise RuntimeError(f"the stream ended: {came[-300:]!r}")
        came = came[-len(wanted) :] + part


@contextmanager
def _opened(port: int, *, key: str, job_ids: list[str]) -> Iterator[list[socket.socket]]:
    wires: list[socket.socket] = []
    try:
        for job_id in job_ids:
            wires.append(_open(port, key=key, job_id=job_id))
        yield wires
    finally:
        for wire in wires:
            wire.close()


def _heartbeats(wires: list[socket.socket], *, seconds: float) -> int:
    """How many of the streams said something within the time; all are read, as clients do."""
    heard: set[int] = set()
    with selectors.DefaultSelector() as ready:
        for number, wire in enumerate(wires):
            ready.register(wire, selectors.EVENT_READ, number)
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            for key, _ in ready.select(left):
                assert isinstance(key.fileobj, socket.socket)
                if b": keep-alive" in key.fileobj.recv(READ_BYTES):
                    heard.add(key.data)
    return len(heard)


def _rss_mb(pid: int) -> float:
    """The heaviest process of the web service: the one that answers."""
    return max(common.memory_mb(each)[0] for each in common.tree(pid))


def _connections() -> tuple[int, int]:
    """The web's connections as PostgreSQL counts them: all, and those at work."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(_CONNECTIONS, [connections["default"].settings_dict["USER"]])
        row = cursor.fetchone()
    return int(row[0]), int(row[1])


def _latencies(wire: socket.socket, *, key: str, shown: str) -> list[float]:
    """Milliseconds from a commit to its event, one after the other."""
    from django.db import connection, transaction

    from apikit import ids
    from dispatch.facade import announce_progress
    from tenants.facade import authenticate, tenant_context

    job_id, took = ids.parse(ids.TRANSCRIPTION, shown), []
    assert isinstance(job_id, UUID)
    with tenant_context(authenticate(key, address="127.0.0.1").tenant):
        for done_ms in range(1, NEWS + 1):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE job SET measured_ms = 1000000, done_ms = %s WHERE id = %s", [done_ms, job_id])
                announce_progress(job_id)
                transaction.on_commit(lambda: took.append(-time.perf_counter()))
            _await(wire, f'"done_ms":{done_ms},'.encode())
            took[-1] = (took[-1] + time.perf_counter()) * 1000
            time.sleep(PAUSE_S)
    return took


def measure() -> dict[str, Any]:
    """Before, with one stream, and with a thousand."""
    from django.db import connections

    with common.stack() as stack, common.web(stack) as web:
        key, other = common.live_key(), common.live_key()
        jobs, [watched] = _make_jobs(key, count=STREAMS), _make_jobs(other, count=1)
        connections["default"].close()
        with _opened(web.port, key=other, job_ids=[watched]) as [wire]:
            alone = _latencies(wire, key=other, shown=watched)
            connections["default"].close()
            before_mb, before = _rss_mb(web.pid), _connections()
            cpu_ms, begun = common.tree_cpu_ms(web.pid), time.monotonic()
            with _opened(web.port, key=key, job_ids=jobs) as wires:
                opened_s, opening_ms = time.monotonic() - begun, common.tree_cpu_ms(web.pid) - cpu_ms
                cpu_ms = common.tree_cpu_ms(web.pid)
                alive = _heartbeats(wires, seconds=SETTLE_S)
                idle_ms = common.tree_cpu_ms(web.pid) - cpu_ms
                during_mb, during = _rss_mb(web.pid), _connections()
                among = _latencies(wire, key=other, shown=watched)
    growth_mb = during_mb - before_mb
    return {
        "streams": STREAMS,
        "alive": alive,
        "rss_mb_before": common.tidy(before_mb, 1),
        "rss_growth_mb": common.tidy(growth_mb, 1),
        "kb_per_stream": common.tidy(growth_mb * 1000 / STREAMS, 1),
        "database_connections": {"before": before[0], "during": during[0], "at_work_during": during[1]},
        "opened_in_s": common.tidy(opened_s),
        "web_cpu_ms_per_stream_opened": common.tidy(opening_ms / STREAMS),
        "web_cpu_percent_idle": common.tidy(idle_ms / SETTLE_S / 10, 1),
        "commit_to_event_ms": {
            "alone": {
                "p50": common.tidy(common.percentile(alone, 50)),
                "p99": common.tidy(common.percentile(alone, 99)),
            },
            "among": {
                "p50": common.tidy(common.percentile(among, 50)),
                "p99": common.tidy(common.percentile(among, 99)),
            },
        },
        "goal": GOAL,
        "reached": growth_mb <= MAX_GROWTH_MB and alive == STREAMS and during[1] == 0 and during[0] <= MAX_THREADS,
    }


if __name__ == "__main__":
    common.run("streams", measure, limit_s=240)
