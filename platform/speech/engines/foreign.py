"""Reading what a provider wrote: every value is looked at before it becomes ours.

What can be put right is put right (times out of order or bounds, confidences, characters that are none). What cannot,
raises one of `UNUSABLE`, which `reading` turns into an `EngineError`: a transcript or a failure, never half of one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from speech.engines.hearing_calls import Units, unusable
from speech.languages import LANGUAGES, primary
from speech.transcript import Segment, Word, clean_text, is_unspaced

UNUSABLE: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError)
MAX_MS: Final = 48 * 3_600_000
MAX_WORD_CHARACTERS: Final = 1_000
PAUSE_MS: Final = 1_000  # words further apart than this begin a new segment
MAX_SEGMENT_WORDS: Final = 60
ENDINGS: Final = tuple(".?!。？！…")  # noqa: RUF001 - the full-width marks are meant
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODES: Final = {name: code for code, name in reversed(LANGUAGES.items())}


@contextmanager
def reading(provider: str, *, units: Units = ()) -> Iterator[None]:
    """Whatever is not as it should be is one failure that costs `units`. `from None`: the cause may quote the text."""
    try:
        yield
    except UNUSABLE:
        raise unusable(provider, units=units) from None


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object; NaN and Infinity are no JSON."""
    told = json.loads(body, parse_constant=_refuse)
    if not isinstance(told, dict):
        raise TypeError("not an object")
    return told


def from_seconds(value: Any) -> int:
    """Seconds as milliseconds within bounds.

    >>> from_seconds(1.2345), from_seconds(-1), from_seconds(1e300)
    (1234, 0, 172800000)
    """
    return from_ms(_number(value) * 1000)


def from_ms(value: Any) -> int:
    """Milliseconds within bounds, whole."""
    return round(min(max(_number(value), 0), MAX_MS))


def count(value: Any) -> int:
    """What a provider counted: a whole number, not negative."""
    return max(0, round(_number(value)))


def share(value: Any) -> float | None:
    """A confidence from 0 to 1; None for anything else, for it is only told.

    >>> share(0.5), share(1.01), share(None), share("high")
    (0.5, 1.0, None, None)
    """
    try:
        return min(max(float(_number(value)), 0.0), 1.0)
    except (TypeError, ValueError):
        return None


def text(value: Any) -> str:
    """Clean text; raises TypeError for anything that is none."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return clean_text(value)


def word(spoken: Any, *, start_ms: int, end_ms: int, confidence: Any = None, speaker: str | None = None) -> Word:
    """A word whose end is not before its start."""
    cleaned = text(spoken)
    if len(cleaned) > MAX_WORD_CHARACTERS:
        raise ValueError("no word is so long")
    return Word(cleaned, start_ms, max(start_ms, end_ms), share(confidence), speaker)


def segment(
    said: Any, *, start_ms: int, end_ms: int, words: Iterable[Word] = (), speaker: str | None = None
) -> Segment:
    """A segment whose end is not before its start; `said` "" takes its text from the words."""
    return Segment(0, start_ms, max(start_ms, end_ms), text(said), tuple(words), speaker)


class Speakers:
    """Names for a provider's labels, in the order in which they are heard: A, B, … Z, AA, AB, …

    >>> names = Speakers()
    >>> names.name("speaker_7"), names.name(0), names.name("speaker_7"), names.name(None)
    ('A', 'B', 'A', None)
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, label: Any) -> str | None:
        if label is None:
            return None
        if not isinstance(label, str | int):
            raise TypeError("not a label")
        return self._names.setdefault(str(label), _nth(len(self._names)))


def language(value: Any) -> str | None:
    """A language tag from a provider's code or English name; None when it is neither.

    >>> [language(told) for told in ("en_us", "ko", "english", "cmn-hans-cn", "<b>", 7)]
    ['en-US', 'ko', 'en', 'cmn-Hans-CN', None, None]
    """
    if not isinstance(value, str):
        return None
    if value.lower() in _CODES:
        return _CODES[value.lower()]
    tag = value.replace("_", "-")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", tag) or primary(tag) not in LANGUAGES:
        return None
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


def sentences(words: Sequence[Word]) -> Iterator[Segment]:
    """Segments from words alone: a sentence, one speaker, no long pause."""
    begun = 0
    for place, one in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        if following is None or _ends(one, following, length=place + 1 - begun):
            part = words[begun : place + 1]
            end_ms = max(word.end_ms for word in part)
            yield Segment(0, part[0].start_ms, max(part[0].start_ms, end_ms), "", tuple(part), part[0].speaker)
            begun = place + 1


def _ends(one: Word, following: Word, *, length: int) -> bool:
    if one.speaker != following.speaker or following.start_ms - one.end_ms > PAUSE_MS:
        return True
    # Chinese and Japanese come as characters: a limit in words would cut them after ten seconds.
    enough = 4 * MAX_SEGMENT_WORDS if one.text and is_unspaced(one.text[-1]) else MAX_SEGMENT_WORDS
    return one.text.endswith(ENDINGS) or length >= enough


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _nth(place: int) -> str:
    """A, B, … Z, AA, AB, …"""
    more, letter = divmod(place, len(_LETTERS))
    return (_nth(more - 1) if more else "") + _LETTERS[letter]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
