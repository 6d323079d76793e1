"""A provider that is slow for one call in twenty, asked alone and hedged with a second one: what is waited, and paid.

Clips of 5 s, one after the other, on the engines of two providers whose fakes answer on loopback; the slow calls take
`SLOW_S`. The second is asked as in the product: once the first has taken as long as 95 of 100 of its calls did lately.
"""

from __future__ import annotations

import itertools
import threading
import time
from array import array
from typing import Any

from benchmarks import common

GOAL = "with one slow call in twenty, hedging halves p99 at least, and asks twice for at most a tenth of the calls"
MAX_TWICE = 0.10
CLIP_MS, CALLS, SLOW_EVERY, SLOW_S = 5_000, 200, 20, 2.0


class _Slow:
    """Makes every so-manieth answer of a fake late."""

    def __init__(self, fake: Any) -> None:
        self._numbers = itertools.count(1)
        fake.respond = self._late(fake.respond)

    def _late(self, respond: Any) -> Any:
        def late(asked: Any, **more: Any) -> Any:
            if next(self._numbers) % SLOW_EVERY == 0:
                time.sleep(SLOW_S)
            return respond(asked, **more)

        return late


def _submit(engine: Any, pcm: Any, cancel: threading.Event | None = None) -> Any:
    from speech.engines.ports import EngineRequest
    from speech.options import Options

    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise InterruptedError

    return engine.submit(pcm, request=EngineRequest(Options(language="en")), on_tick=check)


def _alone(first: Any, pcm: Any) -> list[float]:
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        _submit(first, pcm)
        took.append(time.perf_counter() - begun)
    return took


def _hedged(first: Any, second: Any, pcm: Any) -> tuple[list[float], int]:
    from egress.facade import Durations, hedged
    from speech.hedge import AFTER_S, LEAST_AFTER_S

    took, twice, known = [], [], Durations()

    def lead(cancel: threading.Event) -> Any:
        begun = time.perf_counter()
        answer = _submit(first, pcm, cancel)
        known.add(time.perf_counter() - begun)
        return answer

    def follow(cancel: threading.Event) -> Any:
        twice.append(1)
        return _submit(second, pcm, cancel)

    for _ in range(CALLS):
        begun = time.perf_counter()
        hedged([lead, follow], after_s=max(LEAST_AFTER_S, known.p95_s or AFTER_S))
        took.append(time.perf_counter() - begun)
    return took, len(twice)


def _shown(took: list[float]) -> dict[str, float]:
    return {f"p{percent}_ms": common.tidy(common.percentile(took, percent) * 1000) for percent in (50, 95, 99)}


def measure() -> dict[str, Any]:
    """Alone, then hedged."""
    from speech.audio.pcm import PcmRange
    from speech.engines.deepgram import Deepgram
    from speech.engines.openai import OpenAi
    from speech.engines.providers import DeepgramSettings, OpenAiSettings
    from tests.fakes.deepgram import FakeDeepgram
    from tests.fakes.openai import FakeOpenAi

    slow, quick = FakeDeepgram(), FakeOpenAi()
    _Slow(slow)
    first = Deepgram(DeepgramSettings(slow.KEY, base_url=slow.url))
    second = OpenAi(OpenAiSettings(quick.KEY, f"{quick.url}/v1"))
    with common.stack(migrated=False) as stack:  # whose settings the product's modules need
        path = stack.folder / "clip.pcm"
        path.write_bytes(array("h", (300 * (n % 97) - 14_400 for n in range(16 * CLIP_MS))).tobytes())
        pcm = PcmRange(path, 0, CLIP_MS)
        alone = _alone(first, pcm)
        together, twice = _hedged(first, second, pcm)
    for each in (first, second, slow, quick):
        each.close()
    p99 = common.percentile(alone, 99), common.percentile(together, 99)
    return {
        "alone": _shown(alone),
        "hedged": _shown(together),
        "asked_twice": twice / CALLS,
        "providers": "fakes on loopback",
        "goal": GOAL,
        "reached": p99[1] <= p99[0] / 2 and twice / CALLS <= MAX_TWICE,
    }


if __name__ == "__main__":
    common.run("hedging", measure, limit_s=120)
