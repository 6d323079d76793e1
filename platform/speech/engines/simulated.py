"""A simulated engine: instant, deterministic, and named as simulated wherever its text appears.

The text depends only on the audio's bytes, its length and the options, so tests and test keys can rely on it. It has
every feature, each with an effect that can be seen. Magic inputs (option `simulate`) provoke every outcome:

    transient_error | permanent_error | quota_error | bad_audio | slow:<milliseconds> | says:<text>
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import Capabilities, EngineRequest, EngineWarning, Tick
from speech.engines.simulated_words import VOCABULARIES, mask, redact
from speech.languages import primary
from speech.options import FEATURES, Options
from speech.transcript import Segment, Transcript, Word, assemble, clean_text, join_texts

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

WORD_SLOT_MS: Final = 400  # 150 words a minute, as people speak
WORD_MS: Final = 320
WORDS_PER_SENTENCE: Final = 8
CONFIDENCE: Final = 0.9
MAX_SLOW_MS: Final = 3_600_000
SPEAKERS: Final = 2

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
        spoken = options.language or (options.languages[0] if options.languages else "en")
        language = "en" if options.task == "translate" else spoken
        words = _timed(_texts(pcm, options=options, language=language), duration_ms=pcm.duration_ms)
        return assemble(
            _sentences(words, options=options, language=language), language=language, duration_ms=pcm.duration_ms,
            language_confidence=None if options.language else CONFIDENCE,
        )  # fmt: skip

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
    if not wish or name == "says":
        return 0.0
    if name == "slow" and amount.isdecimal() and int(amount) <= MAX_SLOW_MS:
        return float(amount)
    raise EngineError(
        kind="permanent",
        code="simulated_unknown",
        detail=f"The simulate option knows {', '.join(FAILURES)}, slow:<ms up to {MAX_SLOW_MS}> and says:<text>.",
    )


def _texts(pcm: PcmRange, *, options: Options, language: str) -> list[str]:
    """The words: as told, or drawn from the bytes; each sentence begins with the next word of the vocabulary."""
    if options.simulate.startswith("says:"):
        texts = clean_text(options.simulate.removeprefix("says:")).split(" ")
    else:
        texts = list(_drawn(pcm, language=language))
    for number, place in enumerate(range(0, len(texts), WORDS_PER_SENTENCE)):
        if options.vocabulary:
            texts[place] = options.vocabulary[number % len(options.vocabulary)]
    if options.profanity_filter:
        texts = [mask(text) for text in texts]
    return [redact(text) for text in texts] if options.redact_pii else texts


def _drawn(pcm: PcmRange, *, language: str) -> Iterator[str]:
    vocabulary = VOCABULARIES.get(primary(language), VOCABULARIES["en"])
    digest = hashlib.blake2b(pcm.read(), digest_size=32).digest()
    for place in range(pcm.duration_ms // WORD_SLOT_MS):
        draw = digest[place % len(digest)] + 7 * (place // len(digest))
        yield vocabulary[draw % len(vocabulary)]


def _timed(texts: Sequence[str], *, duration_ms: int) -> list[Word]:
    slot_ms = min(WORD_SLOT_MS, duration_ms // max(1, len(texts)))
    word_ms = slot_ms * WORD_MS // WORD_SLOT_MS
    return [
        Word(text, start_ms=place * slot_ms, end_ms=place * slot_ms + word_ms, confidence=CONFIDENCE)
        for place, text in enumerate(texts)
    ]


def _sentences(words: Sequence[Word], *, options: Options, language: str) -> Iterator[Segment]:
    for number, first in enumerate(range(0, len(words), WORDS_PER_SENTENCE)):
        speaker = _speaker(number, options=options) if options.diarize else None
        sentence = tuple(_spoken_by(words[first : first + WORDS_PER_SENTENCE], speaker=speaker))
        yield Segment(
            id=0,
            start_ms=sentence[0].start_ms,
            end_ms=sentence[-1].end_ms,
            text=join_texts((word.text for word in sentence), language=language),
            words=sentence,
            speaker=speaker,
        )


def _speaker(number: int, *, options: Options) -> str:
    count = options.speakers or min(options.max_speakers or SPEAKERS, max(options.min_speakers or 1, SPEAKERS))
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % min(count, 26)]


def _spoken_by(words: Iterable[Word], *, speaker: str | None) -> Iterator[Word]:
    return (replace(word, speaker=speaker) for word in words) if speaker else iter(words)
