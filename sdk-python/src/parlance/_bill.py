"""The platform's own numbers, computed on your side."""

from __future__ import annotations

import unicodedata


def count_characters(text: str) -> int:
    """What a text is billed as: the Unicode code points of its NFC form, without white space around it.

    >>> decomposed = unicodedata.normalize("NFD", "안녕하세요")
    >>> count_characters("안녕하세요"), len(decomposed), count_characters(decomposed), count_characters(" a ")
    (5, 12, 5, 1)
    """
    return len(unicodedata.normalize("NFC", text).strip())
