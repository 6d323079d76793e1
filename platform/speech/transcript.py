"""The canonical transcript: what every engine answers, in integer milliseconds and NFC text.

There is one joining rule for texts (`join_texts`), so the whole text always equals the joined segments.
Engines clean foreign text with `clean_text` and build through `assemble`, which puts times in order; the constructors
only check.
"""

# ruff: noqa: RUF002 - the full-width marks of Chinese and Japanese are meant

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any, Final

UNSPACED_LANGUAGES: Final = frozenset({"ja", "zh", "yue", "cmn"})
CONFIDENCE_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word with its times from the start of the audio; `confidence` is 0 to 1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None
    speaker: str | None = None

    def __post_init__(self) -> None:
        _check(self.text, start_ms=self.start_ms, end_ms=self.end_ms)
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError("confidence must be 0 to 1")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, usually a sentence or phrase; `channel` counts from 0 where channels were heard apart."""

    id: int
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        _check(self.text, start_ms=self.start_ms, end_ms=self.end_ms)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole recording: `text` is the joined segments, `words` all their words in order."""

    text: str
    language: str | None
    duration_ms: int
    segments: tuple[Segment, ...]
    words: tuple[Word, ...]
    language_confidence: float | None = None  # 0 to 1, where the engine found the language out

    def __post_init__(self) -> None:
        if self.text != join_texts((segment.text for segment in self.segments), language=self.language):
            raise ValueError("the text of a transcript must be its joined segments")
        if self.words != tuple(chain.from_iterable(segment.words for segment in self.segments)):
            raise ValueError("the words of a transcript must be the words of its segments")
        if self.duration_ms < 0:
            raise ValueError("a transcript cannot have a negative duration")


def clean_text(text: str) -> str:
    """NFC text on one line: no half characters, no control characters, single spaces.

    >>> clean_text(" 안녕\\n하\\ud800세요 \\ufffd ")
    '안녕 하세요'
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = "".join(" " if character.isspace() else character for character in text if _is_wanted(character))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def join_texts(texts: Iterable[str], *, language: str | None = None) -> str:
    """The one joining rule: a space between texts, none where Chinese or Japanese writing meets.

    >>> join_texts(["Hello", "there."], language="en")
    'Hello there.'
    >>> join_texts(["今日は", "API", "key", "です。"], language="ja")
    '今日はAPI keyです。'
    """
    joined: list[str] = []
    last = ""
    for text in texts:
        if not text:
            continue
        if last and not _joins_without_space(last[-1], text[0], language=language):
            joined.append(" ")
        joined.append(text)
        last = text
    return "".join(joined)


def assemble(
    segments: Iterable[Segment], *, language: str | None, duration_ms: int, language_confidence: float | None = None
) -> Transcript:
    """A valid transcript from an engine's segments: times inside the audio and in order, ids 0, 1, ...

    A segment without text gets it from its words; one without either is dropped.
    """
    kept: list[Segment] = []
    earliest_ms = 0
    for segment in segments:
        clean = _clean_segment(segment, earliest_ms=earliest_ms, duration_ms=duration_ms, language=language)
        if clean.text:
            kept.append(replace(clean, id=len(kept)))
            earliest_ms = clean.start_ms
    return Transcript(
        text=join_texts((segment.text for segment in kept), language=language),
        language=language,
        duration_ms=duration_ms,
        segments=tuple(kept),
        words=tuple(chain.from_iterable(segment.words for segment in kept)),
        language_confidence=language_confidence,
    )


def merge(parts: Sequence[tuple[int, Transcript]]) -> Transcript:
    """One transcript from parts, each with its offset in ms; the language heard longest wins.

    Parts with the same offset were spoken at the same time (channels): their segments are put in order together.
    Adding later parts never changes the segments of earlier ones, so a beginning can be shown before the end is known.
    """
    ordered = sorted(parts, key=lambda part: part[0])
    duration_ms = max((offset_ms + part.duration_ms for offset_ms, part in ordered), default=0)
    language = _main_language(ordered)
    sure = [part.language_confidence for _, part in ordered if part.language == language and part.language_confidence]
    return assemble(
        chain.from_iterable(_together(list(parts)) for _, parts in groupby(ordered, key=lambda part: part[0])),
        language=language,
        duration_ms=duration_ms,
        language_confidence=min(sure, default=None),
    )


def merge_on(parts: Sequence[tuple[int, Transcript]], *, after: Segment | None) -> tuple[Segment, ...]:
    """The segments that these parts add behind `after`, the last one of all parts before them: the end of `merge`
    over all of them, without the earlier parts. Parts with the same offset must come in one call."""
    if after is None:
        return merge(parts).segments
    before = assemble([after], language=None, duration_ms=after.end_ms)
    added = merge([(0, before), *parts]).segments[1:]
    return tuple(replace(segment, id=after.id + segment.id) for segment in added)


def _together(parts: Sequence[tuple[int, Transcript]]) -> list[Segment]:
    segments = [_shift(segment, offset_ms=offset_ms) for offset_ms, part in parts for segment in part.segments]
    return sorted(segments, key=lambda segment: segment.start_ms) if len(parts) > 1 else segments


def labelled(transcript: Transcript, *, channel: int | None, part: int | None) -> Transcript:
    """The transcript of one channel, with speakers whose labels hold within one part only: A of part 2 is `2-A`."""
    if channel is None and part is None:
        return transcript

    def name(speaker: str | None) -> str | None:
        return f"{part}-{speaker}" if part is not None and speaker else speaker

    segments = (
        replace(
            segment, channel=channel, speaker=name(segment.speaker),
            words=tuple(replace(word, speaker=name(word.speaker)) for word in segment.words),
        )
        for segment in transcript.segments
    )  # fmt: skip
    return assemble(
        segments, language=transcript.language, duration_ms=transcript.duration_ms,
        language_confidence=transcript.language_confidence,
    )  # fmt: skip


def to_json(transcript: Transcript) -> dict[str, Any]:
    """A compact JSON value; `from_json` gives the same transcript back (confidence to four digits)."""
    return {
        "version": 1,
        "language": transcript.language,
        "language_confidence": transcript.language_confidence,
        "duration_ms": transcript.duration_ms,
        "segments": [_segment_to_json(segment) for segment in transcript.segments],
    }


def from_json(value: dict[str, Any]) -> Transcript:
    """The transcript stored by `to_json`; raises ValueError for anything else."""
    if value.get("version") != 1:
        raise ValueError("not a stored transcript of version 1")
    segments = (_segment_from_json(place, value=item) for place, item in enumerate(value["segments"]))
    return assemble(
        segments, language=value["language"], duration_ms=value["duration_ms"],
        language_confidence=value.get("language_confidence"),
    )  # fmt: skip


def _check(text: str, *, start_ms: int, end_ms: int) -> None:
    if not 0 <= start_ms <= end_ms:
        raise ValueError("times must be 0 <= start_ms <= end_ms")
    if text != clean_text(text):
        raise ValueError("text must be clean: NFC, no half characters, no control characters")


def _is_wanted(character: str) -> bool:
    if character == "\ufffd" or ord(character) & 0xFFFE == 0xFFFE:  # replacement character, non-characters
        return False
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")


def _joins_without_space(left: str, right: str, *, language: str | None) -> bool:
    if unicodedata.category(right).startswith("M") or "\u1100" <= right <= "\u11ff":
        return False  # a leading mark or jamo would melt into the text before it
    if is_unspaced(left) and is_unspaced(right):
        return True
    primary = (language or "").partition("-")[0].lower()
    return primary in UNSPACED_LANGUAGES and (is_unspaced(left) or is_unspaced(right))


def is_unspaced(character: str) -> bool:
    """Han, kana and the full-width punctuation between them; not Hangul.

    >>> [is_unspaced(character) for character in "あ漢。！한a"]
    [True, True, True, True, False, False]
    """
    return (
        "\u3000" <= character <= "\u312f"
        or "\u31a0" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\uff00" <= character <= "\uff9f"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def _clean_segment(segment: Segment, *, earliest_ms: int, duration_ms: int, language: str | None) -> Segment:
    start_ms = min(max(segment.start_ms, earliest_ms), duration_ms)
    end_ms = min(max(segment.end_ms, start_ms), duration_ms)
    words = _clean_words(segment.words, start_ms=start_ms, end_ms=end_ms)
    text = segment.text or join_texts((word.text for word in words), language=language)
    return replace(segment, start_ms=start_ms, end_ms=end_ms, text=text, words=words)


def _clean_words(words: Sequence[Word], *, start_ms: int, end_ms: int) -> tuple[Word, ...]:
    kept: list[Word] = []
    earliest_ms = start_ms
    for word in words:
        if not word.text:
            continue
        word_start_ms = min(max(word.start_ms, earliest_ms), end_ms)
        word_end_ms = min(max(word.end_ms, word_start_ms), end_ms)
        fits = word.start_ms == word_start_ms and word.end_ms == word_end_ms
        kept.append(word if fits else replace(word, start_ms=word_start_ms, end_ms=word_end_ms))
        earliest_ms = word_start_ms
    return tuple(kept)


def _shift(segment: Segment, *, offset_ms: int) -> Segment:
    return replace(
        segment,
        start_ms=segment.start_ms + offset_ms,
        end_ms=segment.end_ms + offset_ms,
        words=tuple(
            replace(word, start_ms=word.start_ms + offset_ms, end_ms=word.end_ms + offset_ms) for word in segment.words
        ),
    )


def _main_language(parts: Sequence[tuple[int, Transcript]]) -> str | None:
    heard_ms: Counter[str] = Counter()
    for _, part in parts:
        if part.language is not None and part.segments:
            heard_ms[part.language] += part.duration_ms
    if heard_ms:
        return heard_ms.most_common(1)[0][0]
    return next((part.language for _, part in parts if part.language is not None), None)


def _segment_to_json(segment: Segment) -> dict[str, Any]:
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "speaker": segment.speaker,
        "channel": segment.channel,
        "words": [_word_to_json(word) for word in segment.words],
    }


def _word_to_json(word: Word) -> list[Any]:
    confidence = None if word.confidence is None else round(word.confidence, CONFIDENCE_DIGITS)
    return [word.text, word.start_ms, word.end_ms, confidence, word.speaker]


def _segment_from_json(place: int, *, value: dict[str, Any]) -> Segment:
    return Segment(
        id=place,
        start_ms=value["start_ms"],
        end_ms=value["end_ms"],
        text=value["text"],
        words=tuple(Word(*word) for word in value["words"]),
        speaker=value["speaker"],
        channel=value.get("channel"),
    )
