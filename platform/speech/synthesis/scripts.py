"""In which script a text is written, and which scripts a language is written in. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

from speech.languages import primary

LATIN: Final = "LATIN"
# Unicode's names of letters begin with their script.
_OF_NAME: Final = {"CJK": "HAN", "KATAKANA-HIRAGANA": "KATAKANA"}
_OF_LANGUAGE: Final = {
    "ko": {"HANGUL", "HAN"}, "ja": {"HIRAGANA", "KATAKANA", "HAN"}, "zh": {"HAN", "BOPOMOFO"}, "yue": {"HAN"},
    "cmn": {"HAN", "BOPOMOFO"}, "ru": {"CYRILLIC"}, "uk": {"CYRILLIC"}, "be": {"CYRILLIC"}, "bg": {"CYRILLIC"},
    "mk": {"CYRILLIC"}, "sr": {"CYRILLIC", LATIN}, "kk": {"CYRILLIC"}, "ky": {"CYRILLIC"}, "tt": {"CYRILLIC"},
    "ba": {"CYRILLIC"}, "el": {"GREEK"}, "he": {"HEBREW"}, "ar": {"ARABIC"}, "fa": {"ARABIC"}, "ur": {"ARABIC"},
    "sd": {"ARABIC"}, "ug": {"ARABIC"}, "hi": {"DEVANAGARI"}, "mr": {"DEVANAGARI"}, "ne": {"DEVANAGARI"},
    "bn": {"BENGALI"}, "as": {"BENGALI"}, "pa": {"GURMUKHI"}, "gu": {"GUJARATI"}, "or": {"ORIYA"}, "ta": {"TAMIL"},
    "te": {"TELUGU"}, "kn": {"KANNADA"}, "ml": {"MALAYALAM"}, "si": {"SINHALA"}, "th": {"THAI"}, "lo": {"LAO"},
    "my": {"MYANMAR"}, "km": {"KHMER"}, "ka": {"GEORGIAN"}, "hy": {"ARMENIAN"}, "am": {"ETHIOPIC"}, "ti": {"ETHIOPIC"},
}  # fmt: skip
# The language to assume for a script when nothing else is known.
_DEFAULTS: Final = {
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "HAN": "zh", "CYRILLIC": "ru", "GREEK": "el", "HEBREW": "he",
    "ARABIC": "ar", "DEVANAGARI": "hi", "BENGALI": "bn", "GURMUKHI": "pa", "GUJARATI": "gu", "ORIYA": "or",
    "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "SINHALA": "si", "THAI": "th", "LAO": "lo",
    "MYANMAR": "my", "KHMER": "km", "GEORGIAN": "ka", "ARMENIAN": "hy", "ETHIOPIC": "am",
}  # fmt: skip
MOSTLY: Final = 0.5


def scripts_of(language: str) -> frozenset[str]:
    """The scripts of a language; Latin where nothing else is known."""
    return frozenset(_OF_LANGUAGE.get(primary(language), {LATIN}))


def language_of(text: str) -> str:
    """The language to assume for a text: by its script, kana before Han; English for Latin and for no letters.

    >>> [language_of(text) for text in ("안녕 world", "今日は", "你好", "hello 안", "123")]
    ['ko', 'ja', 'zh', 'en', 'en']
    """
    seen = _letters(text)
    if seen["HIRAGANA"] or seen["KATAKANA"]:
        return "ja"
    found = seen.most_common(1)
    return _DEFAULTS.get(found[0][0], "en") if found else "en"


def is_written_for(text: str, language: str) -> bool:
    """Whether a voice of this language can read most of the text's letters. Latin words are read by every voice.

    >>> is_written_for("안녕하세요", "en"), is_written_for("OK 안녕", "ko"), is_written_for("hello", "ko")
    (False, True, True)
    """
    seen, known = _letters(text), scripts_of(language) | {LATIN}
    total = sum(seen.values())
    return total == 0 or sum(seen[script] for script in known) > MOSTLY * total


def _letters(text: str) -> Counter[str]:
    """How much of each script there is; a letter that is not Latin says about as much as three that are."""
    seen: Counter[str] = Counter()
    for character, count in Counter(text).items():
        script = _script(character)
        seen[script] += count if script == LATIN else 3 * count
    del seen[""]
    return seen


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """The script of a letter, "" for what is none."""
    name = unicodedata.name(character, "").split(" ")[0] if character.isalpha() else ""
    return _OF_NAME.get(name, name)
