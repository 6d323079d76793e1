"""How far a text is from what was said: edits per word (WER) and per character (CER). Pure.

Case, punctuation and the composition of letters (NFC) do not count; for characters spaces do not either, because where
Korean puts them is a matter of taste.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

BY_CHARACTERS: Final = frozenset({"ko", "ja", "zh", "th", "yue"})  # languages that are not judged by words


@dataclass(frozen=True, slots=True)
class Distance:
    """Edits that lead from what was heard to what was said, and how long that is."""

    edits: int
    length: int


def words(text: str) -> list[str]:
    """The words that count.

    >>> words("It's 3 o'clock, Ada!"), words("안녕, 하세요.")
    (["it's", '3', "o'clock", 'ada'], ['안녕', '하세요'])
    """
    lowered = unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'")
    kept = (letter if _counts(letter) else " " for letter in lowered)
    found = ("".join(kept)).split()
    return [word for word in (one.strip("'") for one in found) if word]


def characters(text: str) -> str:
    """The characters that count.

    >>> characters("안녕, 하세요."), characters("A b")
    ('안녕하세요', 'ab')
    """
    return "".join(words(text)).replace("'", "")


def word_distance(said: str, heard: str) -> Distance:
    """Words put in, left out or changed.

    >>> word_distance("the quick brown fox", "a quick fox")
    Distance(edits=2, length=4)
    """
    reference = words(said)
    return Distance(_edits(reference, words(heard)), len(reference))


def character_distance(said: str, heard: str) -> Distance:
    """Characters put in, left out or changed.

    >>> character_distance("회의를 시작", "회의 시자")
    Distance(edits=2, length=5)
    """
    reference = characters(said)
    return Distance(_edits(reference, characters(heard)), len(reference))


def rate(distances: Iterable[Distance]) -> Decimal | None:
    """The share of all that was said which is wrong: long recordings weigh more. None when nothing was said.

    >>> rate([Distance(1, 10), Distance(0, 30)]), rate([])
    (Decimal('0.02500'), None)
    """
    known = list(distances)
    length = sum(one.length for one in known)
    return (Decimal(sum(one.edits for one in known)) / length).quantize(Decimal("0.00001")) if length else None


def _counts(letter: str) -> bool:
    return letter == "'" or unicodedata.category(letter)[0] in "LNM"


def _edits(said: Sequence[Hashable], heard: Sequence[Hashable]) -> int:
    """Levenshtein's distance, row by row."""
    row = list(range(len(heard) + 1))
    for number, one in enumerate(said, start=1):
        diagonal, row[0] = row[0], number
        for at, other in enumerate(heard, start=1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (one != other))
    return row[-1]
