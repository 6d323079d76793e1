"""Text as it is spoken, hashed and counted: NFC, once, at the edge. Pure.

>>> [len(spoken_text(text)) for text in (unicodedata.normalize("NFD", "안녕하세요"), "ㅋㅋㅋ", "👨‍👩‍👧", "ᄒᆞᆫ")]
[5, 3, 5, 3]
"""

from __future__ import annotations

import re
import unicodedata

from speech.synthesis.errors import TextUnusable

MAX_CHARACTERS = 200_000  # about four hours of speech
# Controls other than white space, halves of characters, and the last two of each plane, which are no characters.
_NOT_CHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_STRANGE = re.compile(f"[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff{_NOT_CHARACTERS}]")


def spoken_text(text: str) -> str:
    """NFC without white space around it; raises `TextUnusable` for nothing to say and for what no voice can say."""
    strange = _STRANGE.search(text)
    if strange is not None:
        detail = f"The text holds the control character U+{ord(strange[0]):04X}. Remove it."
        raise TextUnusable("text_control_characters", detail)
    normal = unicodedata.normalize("NFC", text).strip()
    if not any(character.isalnum() or unicodedata.category(character) in {"So", "Sc", "Sm"} for character in normal):
        raise TextUnusable("text_empty", "There is nothing to say in the text. Send at least one spoken character.")
    if len(normal) > MAX_CHARACTERS:
        detail = f"The text has {len(normal)} characters and may have {MAX_CHARACTERS}. Send it in several requests."
        raise TextUnusable("text_too_long", detail)
    return normal
