"""Text as the voice is to say it: terms replaced by how they sound. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from speech.languages import primary
from speech.synthesis.terms import whole_words


@dataclass(frozen=True, slots=True)
class Saying:
    """How a term is said in a language: `ko` holds for every Korean, `en-US` for that one."""

    language: str
    term: str
    say_as: str


def languages_for(language: str) -> list[str]:
    """The languages whose entries hold for a text of this one, weakest first.

    >>> languages_for("en-US"), languages_for("ko")
    (['en', 'en-us'], ['ko'])
    """
    return list(dict.fromkeys((primary(language), language.lower())))


@dataclass(frozen=True, slots=True)
class Swap:
    """`text[start:end]` is said as `said[said_start:said_end]`."""

    start: int
    end: int
    said_start: int
    said_end: int


@dataclass(frozen=True, slots=True)
class Pronounced:
    """A text as it is said, and what of it was put in place of something else."""

    said: str
    swaps: tuple[Swap, ...] = ()


def pronounced(text: str, sayings: Sequence[Saying]) -> Pronounced:
    """The text with every term said as its entry tells. Longer terms win, a region's entry wins over its language's.

    What was put in is not looked at again.

    >>> entries = [Saying("en", "SQL", "sequel"), Saying("en", "sql server", "sequel server")]
    >>> pronounced("SQL Server speaks SQL, not MySQL.", entries).said
    'sequel server speaks sequel, not MySQL.'
    """
    found = _present(text, sayings)
    if not found:
        return Pronounced(text)
    terms = sorted(found, key=len, reverse=True)
    pattern = re.compile("|".join(f"({whole_words(term)})" for term in terms))
    said, swaps, rest = "", [], 0
    for match in pattern.finditer(text):
        said += text[rest : match.start()]
        put_in = found[terms[(match.lastindex or 1) - 1]]
        swaps.append(Swap(match.start(), match.end(), len(said), len(said) + len(put_in)))
        said, rest = said + put_in, match.end()
    return Pronounced(said + text[rest:], tuple(swaps))


def _present(text: str, sayings: Sequence[Saying]) -> dict[str, str]:
    """Only terms whose first word occurs at all: a pattern of a thousand would cost more than the rest of the order."""
    plain = text.casefold()
    strongest = sorted(sayings, key=lambda saying: len(saying.language))
    return {one.term: one.say_as for one in strongest if one.term.split()[0].casefold() in plain}
