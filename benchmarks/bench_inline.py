"""A synchronous transcription over HTTP: multipart clip of 5 s, live key, simulated engine, durable.

The web process runs such a job itself (the inline lane). A worker and a scheduler stand by as they always do. The
decoder is a child process of its own, so its CPU is known apart; so are webhooks and sweeps, the scheduler's work.

The route may be named: `python -m benchmarks.bench_inline /v1/audio/transcriptions`.
"""

from __future__ import annotations

import io
import math
import struct
import sys
import time
import wave
from dataclasses import dataclass
from typing import Any

from benchmarks import common
from benchmarks.load import Load, Request, load

GOAL = "CPU of web + workers without decode <= 2 ms; decode <= 12 ms; added latency without decode <= 15 ms p50"
MAX_CPU_MS, MAX_DECODE_MS, MAX_ADDED_MS = 2.0, 12.0, 15.0
CLIP_S, RATE_HZ = 5, 16_000
REQUESTS, CONNECTIONS, ROUNDS = 100, 1, 5
IDLE_S = 3.0
BOUNDARY = "parlance-bench"
NATIVE = "/v1/transcriptions"


@dataclass(frozen=True, slots=True)
class Surface:
    """How a route is asked for the same work, and what shows that it was done."""

    fields: dict[str, str]
    headers: dict[str, str]
    done: bytes


SURFACES = {  # every request is heard, though all send the same clip
    NATIVE: Surface({"engine": "simulated", "reuse": "never"}, {"Prefer": "wait=10"}, b'"status":"completed"'),
    "/v1/audio/transcriptions": Surface({"model": "simulated", "response_format": "json"}, {}, b'"text"'),
}


def clip() -> bytes:
    """Five seconds of a tone that comes and goes, as 16-bit mono WAV."""
    samples = (int(9000 * math.sin(number / 20) * math.sin(number / 4000)) for number in range(CLIP_S * RATE_HZ))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def _field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _body(fields: dict[str, str]) -> bytes:
    lines = [
        *(_field(name, value) for name, value in fields.items()),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n'.encode(),
        b"Content-Type: audio/wav\r\n\r\n" + clip() + b"\r\n",
        f"--{BOUNDARY}--\r\n".encode(),
    ]
    return b"".join(lines)


@dataclass(frozen=True, slots=True)
class Used:
    """CPU milliseconds so far."""

    web: float
    decode: float
    worker: float
    scheduler: float
    postgres: float
    redis: float

    def since(self, earlier: Used, *, times: int) -> Used:
        return Used(*((getattr(self, name) - getattr(earlier, name)) / times for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Pids:
    """Who is measured."""

    web: int
    worker: int
    scheduler: int
    postgres: int
    redis: int

    def used(self) -> Used:
        """The web's own processes run `workers.web`; what else hangs below them decodes."""
        ours = [pid for pid in common.tree(self.web) if "workers.web" in common.command(pid)]
        own = sum(common.cpu(pid).own_ms for pid in ours)
        whole = common.tree_cpu_ms(self.web)
        others = (common.tree_cpu_ms(pid) for pid in (self.worker, self.scheduler, self.postgres, self.redis))
        return Used(own, whole - own, *others)


def _rounds(pids: Pids, *, path: str, port: int, load_process: Load) -> tuple[list[Used], list[float]]:
    surface = SURFACES[path]
    headers = {
        "Authorization": f"Bearer {common.live_key()}", **surface.headers,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }  # fmt: skip
    request = Request(port, path, _body(surface.fields), headers, (200, 202), contains=surface.done)
    load_process.send(request, count=10, connections=CONNECTIONS)
    used, latencies = [], []
    for _ in range(ROUNDS):
        before = pids.used()
        latencies += load_process.send(request, count=REQUESTS, connections=CONNECTIONS)
        used.append(pids.used().since(before, times=REQUESTS))
    return used, latencies


def _idle(pids: Pids) -> Used:
    """CPU per second of everybody when nothing is asked."""
    before = pids.used()
    time.sleep(IDLE_S)
    return pids.used().since(before, times=int(IDLE_S))


def _share(used: list[Used], name: str) -> float:
    return common.tidy(common.median([getattr(one, name) for one in used]), 2)


def measure() -> dict[str, Any]:
    """Five rounds of a hundred requests, one after the other."""
    path = sys.argv[1] if len(sys.argv) > 1 else NATIVE
    with (
        common.stack() as stack,
        load() as load_process,
        common.web(stack) as web,
        common.worker_process(stack, module="workers.worker") as worker,
        common.worker_process(stack, module="workers.scheduler") as scheduler,
    ):
        pids = Pids(web.pid, worker, scheduler, stack.postgres_pid, stack.redis_pid)
        idle = _idle(pids)
        used, latencies = _rounds(pids, path=path, port=web.port, load_process=load_process)
    p50 = common.percentile(latencies, 50)
    ours = common.median([one.web + one.worker for one in used])
    decode = common.median([one.decode for one in used])
    return {
        "path": path,
        "latency_p50_ms": common.tidy(p50),
        "latency_p95_ms": common.tidy(common.percentile(latencies, 95)),
        "latency_p50_without_decode_cpu_ms": common.tidy(p50 - decode),
        "cpu_ms_per_request": {name: _share(used, name) for name in Used.__slots__},
        "idle_cpu_ms_per_s": {name: common.tidy(getattr(idle, name), 1) for name in Used.__slots__},
        "web_and_worker_cpu_ms": common.tidy(ours),
        "requests": len(latencies),
        "goal": GOAL,
        "reached": ours <= MAX_CPU_MS and decode <= MAX_DECODE_MS and p50 - decode <= MAX_ADDED_MS,
    }


if __name__ == "__main__":
    common.run("inline", measure, limit_s=120)
