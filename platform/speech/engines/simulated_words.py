"""What the simulated engine says, and what it hides when asked to."""

from __future__ import annotations

import re
from typing import Final

ENGLISH: Final = """
    time people water house river morning paper music garden window letter story market winter summer bridge
    silver answer number color between always never quiet bright small carry follow listen travel open remember
"""
KOREAN: Final = """
    시간 사람 바다 집 강 아침 종이 음악 정원 창문 편지 이야기 시장 겨울 여름 다리 은빛 대답 숫자 색깔 사이 항상
    조용한 밝은 작은 나르다 따르다 듣다 여행 열린 기억 오늘
"""
VOCABULARIES: Final = {"en": ENGLISH.split(), "ko": KOREAN.split()}

RUDE: Final = frozenset({"damn", "젠장"})
_PERSONAL: Final = ((re.compile(r"^\S+@\S+$"), "[EMAIL]"), (re.compile(r"^[\d()+-]{7,}[.,]?$"), "[PHONE]"))


def mask(word: str) -> str:
    """A rude word behind asterisks.

    >>> mask("damn"), mask("time")
    ('****', 'time')
    """
    return "*" * len(word) if word.lower().strip(".,!?") in RUDE else word


def redact(word: str) -> str:
    """A label in place of an address or number.

    >>> redact("ada@example.com"), redact("555-0100"), redact("time")
    ('[EMAIL]', '[PHONE]', 'time')
    """
    for pattern, label in _PERSONAL:
        if pattern.match(word):
            return label
    return word
