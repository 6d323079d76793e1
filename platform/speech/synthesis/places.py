"""Places of a document, as engines tell them, as places of the text that is said. Pure.

Markup, entities and white space may differ between the two; the characters in between are the same and in the same
order, so they are counted.
"""

from __future__ import annotations

import unicodedata
from xml.parsers import expat


class Places:
    """Finds where in `text` a byte of the UTF-8 document stands, which was sent for it.

    >>> Places("<speak>1 &lt; 2<break/> three</speak>", is_markup=True, text="1 < 2 three").of_byte(24)
    6
    """

    def __init__(self, document: str, *, is_markup: bool, text: str) -> None:
        self._pieces = _said(document) if is_markup else [(0, document)]
        self._visible = [place for place, character in enumerate(text) if not character.isspace()]

    def of_byte(self, byte: int) -> int | None:
        """The first character of the text at or after the place; None behind its end."""
        before = "".join(piece if start + len(piece.encode()) <= byte else _head(piece, byte - start)
                         for start, piece in self._pieces if start < byte)  # fmt: skip
        count = len("".join(unicodedata.normalize("NFC", before).split()))
        return self._visible[count] if count < len(self._visible) else None


def _head(piece: str, size_bytes: int) -> str:
    return piece.encode()[:size_bytes].decode(errors="ignore")


def _said(document: str) -> list[tuple[int, str]]:
    """The text between the tags, in pieces, each with the byte at which it begins."""
    pieces: list[tuple[int, str]] = []
    parser = expat.ParserCreate()
    parser.CharacterDataHandler = lambda data: pieces.append((parser.CurrentByteIndex, data))
    parser.Parse(document, True)
    return pieces
