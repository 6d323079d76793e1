"""Finding terms in running text, as words where words stand apart. Pure.

Han, kana, Thai and their like are written without spaces, and Korean glues particles to its words, so there the edge
of a word cannot be seen from its neighbours alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_HANGUL: Final = r"\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
_UNSPACED: Final = (
    r"\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED_SOUTH: Final = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Vowel signs and accents belong to their word, and Python's \w leaves them out.
_MARKS: Final = r"\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0dff"
_SPACED: Final = rf"(?:[^\W{_HANGUL}{_UNSPACED}{_UNSPACED_SOUTH}]|[{_MARKS}])"
# What may follow a Korean noun within its word.
_PARTICLE: Final = (
    "은|는|이|가|을|를|의|에|에서|에게|에게서|께|께서|한테|로|으로|와|과|랑|이랑|하고|도|만|까지|부터|보다|처럼|같이|마다|밖에|"
    "조차|마저|이나|나|라도|이라도|란|이란|라는|이라는|라고|이라고|든지|요|이요|야|이야|아|님|씨|"
    "이다|다|입니다|이에요|예요|이며|며|이고|고|인|였다|이었다"
)
_ENDINGS: Final = rf"(?:들)?(?:{_PARTICLE}){{0,3}}(?![{_HANGUL}])"
_IS_HANGUL: Final = re.compile(f"[{_HANGUL}]")
_IS_SPACED: Final = re.compile(_SPACED)


def folded(text: str) -> str:
    r"""Text as it is compared: compatible and full-width forms as plain ones, no case, nothing invisible, one space.

    >>> folded("\uff22a\u200bD  Word"), folded("ㅂㅏㅂㅗ")
    ('bad word', '바보')
    """
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    return " ".join(plain.split())


def contains_any(text: str, terms: Iterable[str]) -> bool:
    """Whether one of the terms stands in the text. Both are `folded`; Korean, Chinese and Japanese need no space.

    >>> [contains_any(text, ["바보", "ass"]) for text in ("너는바보야", "first class", "an ass!", "ass는")]
    [True, False, True, True]
    """
    present = [term for term in terms if term in text]
    return any(re.search(_between_spaced(term, re.escape(term)), text) for term in present)


def whole_words(term: str) -> str:
    """A pattern for the term as a word or words: Korean may have particles after it.

    A term without capitals is found in any case; one with capitals only as it is written.

    >>> [bool(re.search(whole_words("서울"), text)) for text in ("서울에서는 비", "서울역", "남서울은")]
    [True, False, False]
    >>> [bool(re.search(whole_words("US"), text)) for text in ("the US, too", "tell us", "USB", "US는")]
    [True, False, False, True]
    """
    pattern = r"\s+".join(re.escape(word) for word in term.split())
    if term == term.lower():
        pattern = f"(?i:{pattern})"
    before = rf"(?<![{_HANGUL}])" if _IS_HANGUL.match(term[0]) else ""
    after = f"(?={_ENDINGS})" if _IS_HANGUL.match(term[-1]) else ""
    return f"{before}{_between_spaced(term, pattern)}{after}"


def _between_spaced(term: str, pattern: str) -> str:
    """The pattern, not within a longer word of a script that writes words apart."""
    before = f"(?<!{_SPACED})" if _IS_SPACED.match(term[0]) else ""
    after = f"(?!{_SPACED})" if _IS_SPACED.match(term[-1]) else ""
    return f"{before}{pattern}{after}"
