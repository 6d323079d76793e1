"""What a reader sees as one character: a caption is never broken inside of one.

Follows the extended grapheme clusters of Unicode as far as the standard library's tables allow: marks, joiners,
emoji with skin tones and flags, Hangul jamo, Thai and Lao vowels, half-width kana marks.
"""

import unicodedata
from collections.abc import Iterator

ZERO_WIDTH_JOINER = "\u200d"
EXTENDERS = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")


def graphemes(text: str) -> Iterator[str]:
    """The clusters of `text` in order; joined again they are `text`.

    >>> [len(cluster) for cluster in graphemes("e\\u0301👍🏽🇰🇷한")]
    [2, 2, 2, 1]
    """
    cluster = ""
    for character in text:
        if cluster and not _extends(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def visible_length(text: str) -> int:
    """How many characters a reader counts.

    >>> visible_length("e\\u0301a")
    2
    """
    return len(text) if text.isascii() else sum(1 for _ in graphemes(text))


def _extends(cluster: str, character: str) -> bool:
    if character in EXTENDERS or unicodedata.category(character).startswith("M"):
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f":
        return True
    if cluster[-1] == ZERO_WIDTH_JOINER and _is_pictograph(character):
        return True
    if _is_flag_letter(character):
        return len(cluster) == 1 and _is_flag_letter(cluster)
    return _joins_syllable(cluster[-1], character)


def _is_pictograph(character: str) -> bool:
    """Emoji are `So` but for a few arrows of older Unicode, which nodding and shaking heads are made of."""
    return unicodedata.category(character) == "So" or "\u2190" <= character <= "\u21ff"


def _joins_syllable(before: str, character: str) -> bool:
    """Jamo and syllables that make one block: a late jamo after anything Hangul, anything early after an early one."""
    if _is_late_jamo(character):
        return _is_hangul(before)
    return _is_early_jamo(before) and (_is_early_jamo(character) or "\uac00" <= character <= "\ud7a3")


def _is_early_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_late_jamo(character: str) -> bool:
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def _is_hangul(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff" or "\ua960" <= character <= "\ua97f" or "\uac00" <= character <= "\ud7ff"
