"""Text to speech: CPU of a short text and of a cache hit, the first byte, and the memory that an hour of text takes."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from benchmarks import common
from benchmarks.load import Load, Request, load

GOAL = "CPU of web + workers <= 1.5 ms; cache hit <= 2 ms; first byte <= 5 ms after the engine; 1 h: RSS < 150 MB"
MAX_SPEAK_MS, MAX_HIT_MS, MAX_FIRST_MS, MAX_RSS_MB = 1.5, 2.0, 5.0, 150.0
TEXT = "Good morning, this is a short text."
REQUESTS, ROUNDS, FIRSTS = 60, 5, 40
ENGINE_WAIT_MS = 100  # the simulated engine's pause before its first sample
HOUR = "These are the words of a very long book that is read aloud. " * 1_000  # 60,000 characters: an hour at 60 ms


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def _body(**fields: Any) -> bytes:
    return json.dumps({"text": TEXT, "engine": "simulated", "format": "pcm", "reuse": "never"} | fields).encode()


def _cpu_ms(web: common.Web, worker: int, load_process: Load, request: Request) -> list[float]:
    load_process.send(request, count=10, connections=1)
    used = []
    for _ in range(ROUNDS):
        before = common.tree_cpu_ms(web.pid) + common.tree_cpu_ms(worker)
        load_process.send(request, count=REQUESTS, connections=1)
        used.append((common.tree_cpu_ms(web.pid) + common.tree_cpu_ms(worker) - before) / REQUESTS)
    return used


def _first_byte_ms(port: int, headers: dict[str, str], **fields: Any) -> float:
    """Milliseconds to the first byte beyond what the engine waits by itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(FIRSTS):
        begun = time.perf_counter()
        connection.request("POST", "/v1/speech", body=_body(**fields), headers=headers)
        answer = connection.getresponse()
        answer.read(1)
        found.append((time.perf_counter() - begun) * 1000 - ENGINE_WAIT_MS)
        answer.read()
    return common.percentile(found, 50)


def _hour(port: int, headers: dict[str, str], worker: int) -> dict[str, Any]:
    """An hour of speech as one job: how long it took, and the most memory that the worker had."""
    connection, begun = http.client.HTTPConnection("127.0.0.1", port, timeout=120), time.monotonic()
    body = _body(text=HOUR.strip(), format="mp3")
    connection.request("POST", "/v1/speech", body=body, headers=headers | {"Prefer": "respond-async"})
    made = json.loads(connection.getresponse().read())
    most = 0.0
    while made["status"] in {"queued", "running"}:
        time.sleep(0.1)
        most = max(most, common.memory_mb(worker)[0])
        connection.request("GET", f"/v1/speech/{made['id']}", headers=headers)
        made = json.loads(connection.getresponse().read())
    assert made["status"] == "completed", made["error"]
    took_s = time.monotonic() - begun
    return {
        "speech_min": made["audio"]["duration_ms"] // 60_000, "took_s": common.tidy(took_s),
        "worker_rss_mb": common.tidy(most),
    }  # fmt: skip


def measure() -> dict[str, Any]:
    """One request after the other."""
    with (
        common.stack() as stack,
        load() as load_process,
        common.web(stack) as web,
        common.worker_process(stack, module="workers.worker") as worker,
        common.worker_process(stack, module="workers.scheduler"),
    ):
        headers = _headers(common.live_key())
        speak = Request(web.port, "/v1/speech", _body(), headers, (200,))
        hit = Request(web.port, "/v1/speech", _body(text=TEXT + " Again.", reuse="auto"), headers, (200,))
        spoken, hits = (common.median(_cpu_ms(web, worker, load_process, one)) for one in (speak, hit))
        first = _first_byte_ms(web.port, headers, simulate=f"slow:{ENGINE_WAIT_MS}")
        first_mp3 = _first_byte_ms(web.port, headers, simulate=f"slow:{ENGINE_WAIT_MS}", format="mp3")
        hour = _hour(web.port, headers, worker)
    reached = {
        "speak": spoken <= MAX_SPEAK_MS, "hit": hits <= MAX_HIT_MS, "first_byte": first <= MAX_FIRST_MS,
        "hour": hour["worker_rss_mb"] < MAX_RSS_MB,
    }  # fmt: skip
    return {
        "speak_cpu_ms": common.tidy(spoken, 2), "cache_hit_cpu_ms": common.tidy(hits, 2),
        "first_byte_after_engine_ms": common.tidy(first), "first_byte_mp3_ms": common.tidy(first_mp3), "hour": hour,
        "goal": GOAL, "reached_each": reached, "reached": all(reached.values()),
    }  # fmt: skip


if __name__ == "__main__":
    common.run("speech", measure, limit_s=240)
