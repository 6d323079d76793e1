"""What the simulated engines hear: a transcript made of the recording's digest, its length and the options. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from speech.engines.simulated_words import VOCABULARIES, mask, redact
from speech.languages import primary
from speech.options import Options
from speech.transcript import Segment, Transcript, Word, assemble, clean_text, join_texts

WORD_SLOT_MS: Final = 400  # 150 words a minute, as people speak
WORD_MS: Final = 320
WORDS_PER_SENTENCE: Final = 8
CONFIDENCE: Final = 0.9
SPEAKERS: Final = 2


def simulated_transcript(digest: bytes, *, duration_ms: int, options: Options) -> Transcript:
    """The text that belongs to a recording of this digest and length; every feature has an effect that can be seen."""
    spoken = options.language or (options.languages[0] if options.languages else "en")
    language = "en" if options.task == "translate" else spoken
    words = _timed(_texts(digest, duration_ms=duration_ms, options=options, language=language), duration_ms=duration_ms)
    return assemble(
        _sentences(words, options=options, language=language), language=language, duration_ms=duration_ms,
        language_confidence=None if options.language else CONFIDENCE,
    )  # fmt: skip


def _texts(digest: bytes, *, duration_ms: int, options: Options, language: str) -> list[str]:
    """The words: as told, or drawn from the bytes; each sentence begins with the next word of the vocabulary."""
    if options.simulate.startswith("says:"):
        texts = clean_text(options.simulate.removeprefix("says:")).split(" ")
    else:
        texts = list(_drawn(digest, duration_ms=duration_ms, language=language))
    for number, place in enumerate(range(0, len(texts), WORDS_PER_SENTENCE)):
        if options.vocabulary:
            texts[place] = options.vocabulary[number % len(options.vocabulary)]
    if options.profanity_filter:
        texts = [mask(text) for text in texts]
    return [redact(text) for text in texts] if options.redact_pii else texts


def _drawn(digest: bytes, *, duration_ms: int, language: str) -> Iterator[str]:
    vocabulary = VOCABULARIES.get(primary(language), VOCABULARIES["en"])
    for place in range(duration_ms // WORD_SLOT_MS):
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
