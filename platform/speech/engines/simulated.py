"""A simulated engine: instant, deterministic, and named as simulated wherever its text appears.

The text depends only on the audio's bytes, its length and the options, so tests and test keys can rely on it. It has
every feature, each with an effect that can be seen. Magic inputs (option `simulate`) provoke every outcome:

    transient_error | permanent_error | quota_error | bad_audio | slow:<milliseconds> | says:<text>

What begins with "cloud:" is meant for the simulated provider (`simulated_cloud`), and passed over here.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Final

from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import Capabilities, EngineRequest, EngineWarning, Tick
from speech.engines.simulated_text import simulated_transcript
from speech.options import FEATURES
from speech.transcript import Transcript

CAPABILITIES: Final = Capabilities(
    name="simulated",
    languages=None,
    features=frozenset(FEATURES),
    max_part_ms=600_000,
    quality="simulated",
    rtfx=10_000.0,
    models=("simulated-1",),
    in_process=True,
    warnings=(
        EngineWarning(
            code="simulated_engine",
            detail="This text is simulated and has nothing to do with the audio. Use a live key and a real engine to "
            "transcribe.",
        ),
    ),
)

MAX_SLOW_MS: Final = 3_600_000

FAILURES: Final[dict[str, tuple[ErrorKind, str]]] = {
    "transient_error": ("transient", "Simulated passing failure. It is tried again."),
    "permanent_error": ("permanent", "Simulated lasting failure. Remove the simulate option."),
    "quota_error": ("quota", "Simulated exhausted quota. Remove the simulate option."),
    "bad_audio": ("bad_audio", "Simulated unusable audio. Remove the simulate option."),
}


class Simulated:
    """Answers in this process; `latency_ms_per_s` waits that long for each second of audio."""

    def __init__(self, *, latency_ms_per_s: float = 0.0, sleep: Callable[[float], None] = time.sleep) -> None:
        self._latency_ms_per_s = latency_ms_per_s
        self._sleep = sleep

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def transcribe(
        self, pcm: PcmRange, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """The text that belongs to these bytes; raises EngineError when asked to."""
        options = request.options
        wait_ms = _provoked_wait_ms(options.simulate) + self._latency_ms_per_s * pcm.duration_ms / 1000
        self._wait(wait_ms / 1000, on_tick=on_tick, tick_s=tick_s)
        digest = hashlib.blake2b(pcm.read(), digest_size=32).digest()
        return simulated_transcript(digest, duration_ms=pcm.duration_ms, options=options)

    def close(self) -> None:
        """Nothing to give back."""

    def _wait(self, seconds: float, *, on_tick: Tick | None, tick_s: float) -> None:
        while seconds > 0:
            step_s = min(seconds, tick_s)
            self._sleep(step_s)
            seconds -= step_s
            if on_tick is not None:
                on_tick()


def _provoked_wait_ms(wish: str) -> float:
    if wish in FAILURES:
        kind, detail = FAILURES[wish]
        raise EngineError(kind=kind, code=f"simulated_{wish}", detail=detail)
    name, _, amount = wish.partition(":")
    if not wish or name in {"says", "cloud"}:
        return 0.0
    if name == "slow" and amount.isdecimal() and int(amount) <= MAX_SLOW_MS:
        return float(amount)
    raise EngineError(
        kind="permanent",
        code="simulated_unknown",
        detail=f"The simulate option knows {', '.join(FAILURES)}, slow:<ms up to {MAX_SLOW_MS}> and says:<text>.",
    )
