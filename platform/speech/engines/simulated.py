"""A simulated engine: instant, deterministic, and named as simulated wherever its text appears.

The text depends only on the audio's bytes, its length and the language, so tests and test keys can rely on it.
Magic inputs (option `simulate`) provoke every outcome:

    transient_error | permanent_error | quota_error | bad_audio | slow:<milliseconds>
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import Capabilities, EngineRequest, EngineWarning, Tick
from speech.transcript import Segment, Transcript, Word, assemble, join_texts

CAPABILITIES: Final = Capabilities(
    name="simulated",
    languages=None,
    word_timestamps=True,
    diarization=False,
    max_part_ms=600_000,
    quality="simulated",
    rtfx=10_000.0,
    warnings=(
        EngineWarning(
            code="simulated_engine",
            detail="This text is simulated and has nothing to do with the audio. Use a live key and a real engine to "
            "transcribe.",
        ),
    ),
)

WORD_SLOT_MS: Final = 400  # 150 words a minute, as people speak
WORD_MS: Final = 320
WORDS_PER_SENTENCE: Final = 8
CONFIDENCE: Final = 0.9
MAX_SLOW_MS: Final = 3_600_000

ENGLISH: Final = """
    time people water house river morning paper music garden window letter story market winter summer bridge
    silver answer number color between always never quiet bright small carry follow listen travel open remember
"""
KOREAN: Final = """
    시간 사람 바다 집 강 아침 종이 음악 정원 창문 편지 이야기 시장 겨울 여름 다리 은빛 대답 숫자 색깔 사이 항상
    조용한 밝은 작은 나르다 따르다 듣다 여행 열린 기억 오늘
"""
VOCABULARIES: Final = {"en": ENGLISH.split(), "ko": KOREAN.split()}

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
        wait_ms = _provoked_wait_ms(request.options.get("simulate", ""))
        wait_ms += self._latency_ms_per_s * pcm.duration_ms / 1000
        self._wait(wait_ms / 1000, on_tick=on_tick, tick_s=tick_s)
        language = request.language or "en"
        words = tuple(_words(pcm, language=language))
        return assemble(_sentences(words, language=language), language=language, duration_ms=pcm.duration_ms)

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
    if not wish or (name == "slow" and amount.isdecimal() and int(amount) <= MAX_SLOW_MS):
        return float(amount or 0)
    raise EngineError(
        kind="permanent",
        code="simulated_unknown",
        detail=f"The simulate option knows {', '.join(FAILURES)} and slow:<ms up to {MAX_SLOW_MS}>.",
    )


def _words(pcm: PcmRange, *, language: str) -> Iterator[Word]:
    vocabulary = VOCABULARIES.get(language.partition("-")[0].lower(), VOCABULARIES["en"])
    digest = hashlib.blake2b(pcm.read(), digest_size=32).digest()
    for place in range(pcm.duration_ms // WORD_SLOT_MS):
        draw = digest[place % len(digest)] + 7 * (place // len(digest))
        start_ms = place * WORD_SLOT_MS
        yield Word(
            vocabulary[draw % len(vocabulary)],
            start_ms=start_ms,
            end_ms=start_ms + WORD_MS,
            confidence=CONFIDENCE,
        )


def _sentences(words: tuple[Word, ...], *, language: str) -> Iterator[Segment]:
    for first in range(0, len(words), WORDS_PER_SENTENCE):
        sentence = words[first : first + WORDS_PER_SENTENCE]
        yield Segment(
            id=0,
            start_ms=sentence[0].start_ms,
            end_ms=sentence[-1].end_ms,
            text=join_texts((word.text for word in sentence), language=language),
            words=sentence,
        )
