"""The Python SDK: how long its import takes, what a call costs above bare httpx, a thousand waits, and the wheel.

Both sides of the overhead speak to the same in-memory transport and read the same answer as JSON: what differs is the
SDK's own work, building the call, retries, logging and typed models. The thousand waits are calls of `client.wait` to a
stand-in server in a process of its own, which holds each question as the real one does and then answers `completed`.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks import common

GOAL = "import <= 300 ms, <= 1 ms CPU per call above httpx, 1,000 async waits in one process, wheel <= 300 kB"
SOURCE = Path(__file__).parents[1] / "sdk-python" / "src"
sys.path.insert(0, str(SOURCE))
IMPORTS, CALLS, WAITS, HELD_S = 7, 2_000, 1_000, 3.0
ANSWER: dict[str, Any] = {
    "id": "trn_1", "object": "transcription", "livemode": False, "status": "running", "created": "2026-11-25T10:00:00Z",
    "started_at": None, "finished_at": None, "engine": "e", "quality": "simulated", "model": None, "task": "transcribe",
    "language": "en", "duration_ms": 1000, "progress": {"done_ms": 1, "total_ms": 1, "percent": 100}, "queue": None,
    "reused_from": None, "url": "http://x/v1/transcriptions/trn_1", "cost": {"amount": "0.01", "currency": "USD"},
    "filename": None, "metadata": {}, "tags": [], "routing": None, "warnings": [], "error": None, "text": "hello",
    "words": [{"text": "hello", "start_ms": 0, "end_ms": 400, "confidence": 0.9}] * 20, "segments": [],
}  # fmt: skip


def _import_ms() -> tuple[float, float, float]:
    """The best of several fresh processes: wall and CPU of `import parlance`, CPU of httpx and pydantic alone."""
    program = "at = now(); import {}; print(*at, *now())"
    program = f"import time; now = lambda: (time.perf_counter(), time.process_time()); {program}"

    def best(names: str) -> tuple[float, float]:
        command = [sys.executable, "-c", program.format(names)]
        environ = os.environ | {"PYTHONPATH": str(SOURCE)}
        took = []
        for _ in range(IMPORTS):
            wall, cpu, wall_end, cpu_end = map(float, subprocess.check_output(command, env=environ).split())
            took.append(((wall_end - wall) * 1000, (cpu_end - cpu) * 1000))
        return min(wall for wall, _ in took), min(cpu for _, cpu in took)

    return *best("parlance"), best("httpx, pydantic")[1]


def _cpu_ms(call: Callable[[], object]) -> float:
    for _ in range(CALLS // 10):
        call()
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) * 1000 / CALLS


def _overhead_ms() -> tuple[float, float]:
    """CPU of one GET through httpx, and through the SDK."""
    from parlance import Parlance

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ANSWER)

    path = "http://x/v1/transcriptions/trn_1"
    with httpx.Client(transport=httpx.MockTransport(answer)) as bare:
        plain = _cpu_ms(lambda: bare.get(path, headers={"Authorization": "Bearer k"}).json())
    with Parlance(api_key="k", base_url="http://x", transport=httpx.MockTransport(answer)) as client:
        return plain, _cpu_ms(lambda: client.transcriptions.get("trn_1"))


async def _serve() -> None:
    """The stand-in: a first question is answered at once, one with `Prefer: wait` after a while."""
    bodies = [json.dumps(ANSWER | {"status": status}).encode() for status in ("running", "completed")]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            waits = b"prefer: wait" in head.lower()
            await asyncio.sleep(HELD_S if waits else 0)
            body = bodies[waits]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=WAITS)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@contextmanager
def _stand_in() -> Iterator[str]:
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


async def _waits(url: str) -> tuple[int, float, float]:
    """How many of the waits came back with a text, the wall time of all, and the CPU of each."""
    from parlance import AsyncParlance

    async with AsyncParlance(api_key="k", base_url=url) as client:
        began, cpu = time.perf_counter(), time.process_time()
        results = await asyncio.gather(*(client.wait(f"trn_{number}") for number in range(WAITS)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    return sum(result.text == "hello" for result in results), took, cpu * 1000 / WAITS


def _wheel_kb() -> float:
    """The package, packed as a wheel packs it (deflate), without its few hundred bytes of metadata."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in sorted(SOURCE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                wheel.write(path, path.relative_to(SOURCE))
    return len(packed.getvalue()) / 1000


def measure() -> dict[str, Any]:
    """The figures."""
    wall, imported, parts = _import_ms()
    plain, ours = _overhead_ms()
    with _stand_in() as url:
        back, took_s, cpu_ms = asyncio.run(_waits(url))
    wheel = _wheel_kb()
    return {
        "import_ms": round(wall, 1), "import_cpu_ms": round(imported, 1), "httpx_and_pydantic_cpu_ms": round(parts, 1),
        "httpx_cpu_ms": round(plain, 3), "sdk_cpu_ms": round(ours, 3), "overhead_cpu_ms": round(ours - plain, 3),
        "waits": back, "waits_s": round(took_s, 2), "held_s": HELD_S, "wait_cpu_ms": round(cpu_ms, 2),
        "wheel_kb": round(wheel, 1), "goal": GOAL,
        "reached": imported <= 300 and ours - plain <= 1 and back == WAITS and wheel <= 300,
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        common.run("sdk", measure, limit_s=180)
