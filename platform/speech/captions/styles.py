"""How much text a reader takes in, by language."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Style:
    """Characters per line, and characters per second that are read with ease."""

    max_line_chars: int
    max_chars_per_s: int


LATIN: Final = Style(max_line_chars=42, max_chars_per_s=17)
STYLES: Final = {
    "ko": Style(max_line_chars=16, max_chars_per_s=12),
    "ja": Style(max_line_chars=13, max_chars_per_s=4),
    "zh": Style(max_line_chars=16, max_chars_per_s=9),
}
CHINESE: Final = frozenset({"yue", "cmn"})


def style_for(language: str | None) -> Style:
    """The style for a language tag, the Latin one where nothing else is known.

    >>> style_for("ko-KR").max_line_chars
    16
    """
    primary = (language or "").partition("-")[0].lower()
    return STYLES.get("zh" if primary in CHINESE else primary, LATIN)
