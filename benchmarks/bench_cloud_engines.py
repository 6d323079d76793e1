"""CPU that one call of each provider's engine takes in a worker: the audio made ready, sent, and its answer read.

A clip of 10 s, against fakes on loopback in another process (without TLS). What the flow of a job adds is in
`bench_cloud_jobs`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import common

GOAL = "CPU of one call per engine <= 10 ms for a clip of 10 s"
MAX_MS = 10.0
CLIP_MS, CALLS, ROUNDS = 10_000, 40, 3


@contextmanager
def _fakes() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.fake_providers"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        yield json.loads(child.stdout.readline())
        child.stdin.close()


def _engines(told: dict[str, Any]) -> dict[str, Any]:
    from tests.fakes.hearers import HEARERS

    made = {}
    for name, (kind, make) in HEARERS.items():
        fake = SimpleNamespace(KEY=getattr(kind, "KEY", ""), account=lambda: told["account"])
        made[name] = make(fake, told["urls"][name])
    return made


def _cpu_ms(engine: Any, pcm: Any) -> float:
    from tests.fakes.hearers import hear

    hear(engine, pcm)  # connections, and Google's token, are there for all the others
    used = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(CALLS):
            hear(engine, pcm)
        used.append((time.process_time() - begun) * 1000 / CALLS)
    engine.close()
    return common.median(used)


def measure() -> dict[str, Any]:
    """One call after the other."""
    from speech.audio.pcm import PcmRange

    with common.temporary_folder() as folder, _fakes() as told:
        path = folder / "clip.pcm"
        path.write_bytes(array("h", (300 * (n % 97) - 14_400 for n in range(16 * CLIP_MS))).tobytes())
        pcm = PcmRange(path, 0, CLIP_MS)
        used = {name: common.tidy(_cpu_ms(engine, pcm)) for name, engine in _engines(told).items()}
    return {"cpu_ms_per_call": used, "clip_ms": CLIP_MS, "goal": GOAL, "reached": max(used.values()) <= MAX_MS}


if __name__ == "__main__":
    common.run("cloud_engines", measure, limit_s=120)
