"""Text to speech: CPU of a short text and of a cache hit, the first byte, and the memory that an hour of text takes."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import common, fake_voice
from benchmarks.load import Load, Request, load

GOAL = "CPU of web + workers <= 1.5 ms; cache hit <= 2 ms; first byte <= 5 ms after the engine; 1 h: RSS < 150 MB"
MAX_SPEAK_MS, MAX_HIT_MS, MAX_FIRST_MS, MAX_RSS_MB = 1.5, 2.0, 5.0, 150.0
VOICE = "azure/en-US-JennyNeural"
TEXT = "Good morning, this is a short text."
REQUESTS, ROUNDS, FIRSTS = 150, 5, 40
HOUR = "These are the words of a very long book that is read aloud. " * 1_000  # 60,000 characters: an hour at 60 ms


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def _body(**fields: Any) -> bytes:
    asked = {"text": TEXT, "engine": "simulated", "format": "pcm", "reuse": "never"} | fields
    return json.dumps({name: value for name, value in asked.items() if value is not None}).encode()


def _cpu_ms(web: common.Web, worker: int, load_process: Load, request: Request) -> list[float]:
    load_process.send(request, count=10, connections=1)
    used = []
    for _ in range(ROUNDS):
        before = common.tree_cpu_ms(web.pid) + common.tree_cpu_ms(worker)
        load_process.send(request, count=REQUESTS, connections=1)
        used.append((common.tree_cpu_ms(web.pid) + common.tree_cpu_ms(worker) - before) / REQUESTS)
    return used


@dataclass(slots=True)
class Voice:
    """A provider's voice in another process; `left_s` is known once it has ended: when each first sample left."""

    url: str
    left_s: list[float] = field(default_factory=list)


@contextmanager
def _voice() -> Iterator[Voice]:
    command, root = [sys.executable, "-m", "benchmarks.fake_voice"], Path(__file__).parents[1]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        voice = Voice(f"http://127.0.0.1:{int(child.stdout.readline())}")
        yield voice
        child.stdin.close()
        voice.left_s = json.loads(child.stdout.readline())


@dataclass(frozen=True, slots=True)
class Heard:
    """When requests began and when the first byte of each answer was there, by the clock that all processes share."""

    begun_s: list[float]
    first_s: list[float]

    def after_engine_ms(self, left_s: list[float]) -> list[float]:
        return [(first - left) * 1000 for first, left in zip(self.first_s, left_s, strict=True)]

    def added_ms(self) -> list[float]:
        """Beyond what the provider waits by itself: all that stands between a client and the provider."""
        pairs = zip(self.first_s, self.begun_s, strict=True)
        return [(first - begun - fake_voice.THINKS_S) * 1000 for first, begun in pairs]


def _heard(port: int, headers: dict[str, str], **fields: Any) -> Heard:
    connection, heard = http.client.HTTPConnection("127.0.0.1", port), Heard([], [])
    for _ in range(FIRSTS):
        heard.begun_s.append(time.monotonic())
        connection.request("POST", "/v1/speech", body=_body(engine=None, voice=VOICE, **fields), headers=headers)
        answer = connection.getresponse()
        answer.read(1)
        heard.first_s.append(time.monotonic())
        answer.read()
    return heard


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


def _settings(voice: Voice) -> dict[str, str]:
    names = {"KEY": fake_voice.KEY, "REGION": fake_voice.REGION, "BASE_URL": voice.url}
    return {f"PARLANCE_AZURE_SPEECH_{name}": value for name, value in names.items()}


def _first_bytes(pcm: Heard, mp3: Heard, voice: Voice) -> dict[str, float]:
    figures = {
        "first_byte_after_engine_ms": pcm.after_engine_ms(voice.left_s[:FIRSTS]),
        "first_byte_after_engine_mp3_ms": mp3.after_engine_ms(voice.left_s[FIRSTS:]),
        "first_byte_added_ms": pcm.added_ms(),
        "first_byte_added_mp3_ms": mp3.added_ms(),
    }
    return {name: common.tidy(common.percentile(values, 50)) for name, values in figures.items()}


def measure() -> dict[str, Any]:
    """One request after the other."""
    with (
        _voice() as voice,
        common.stack(settings=_settings(voice)) as stack,
        load() as load_process,
        common.web(stack) as web,
        common.worker_process(stack, module="workers.worker") as worker,
        common.worker_process(stack, module="workers.scheduler"),
    ):
        headers = _headers(common.live_key())
        speak = Request(web.port, "/v1/speech", _body(), headers, (200,))
        hit = Request(web.port, "/v1/speech", _body(text=TEXT + " Again.", reuse="auto"), headers, (200,))
        spoken, hits = (common.median(_cpu_ms(web, worker, load_process, one)) for one in (speak, hit))
        pcm, mp3 = _heard(web.port, headers), _heard(web.port, headers, format="mp3")
        hour = _hour(web.port, headers, worker)
    first = _first_bytes(pcm, mp3, voice)
    reached = {
        "speak": spoken <= MAX_SPEAK_MS, "hit": hits <= MAX_HIT_MS,
        "first_byte": first["first_byte_after_engine_ms"] <= MAX_FIRST_MS, "hour": hour["worker_rss_mb"] < MAX_RSS_MB,
    }  # fmt: skip
    return {
        "speak_cpu_ms": common.tidy(spoken, 2), "cache_hit_cpu_ms": common.tidy(hits, 2), **first, "hour": hour,
        "goal": GOAL, "reached_each": reached, "reached": all(reached.values()),
    }  # fmt: skip


if __name__ == "__main__":
    common.run("speech", measure, limit_s=240)
