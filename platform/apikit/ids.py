"""Ids: UUIDv7 inside (RFC 9562 §5.7, ordered by time), `trn_` + 26 characters outside.

The outer form is TypeID's: lower-case Crockford base32 of the 128 bits, so that a double click selects it whole.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26

TRANSCRIPTION = "trn"
SPEECH = "spc"
UPLOAD = "upl"
DICTIONARY_ENTRY = "dic"
DESTINATION = "dst"
WEBHOOK_ENDPOINT = "whe"
EVENT = "evt"
DELIVERY = "dlv"
REPLAY = "rpl"
API_KEY = "key"
TENANT = "ten"
PROVIDER_CREDENTIAL = "pcr"
STATEMENT = "stm"
MEMBER = "mem"
OPERATOR_KEY = "opr"


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


@lru_cache(maxsize=256)  # an answer, its event and its links show the same id several times
def show(prefix: str, value: UUID) -> str:
    """The public form.

    >>> show("trn", UUID(int=1))
    'trn_00000000000000000000000001'
    """
    number, letters = value.int, []
    for _ in range(_LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(letters))}"


def parse(prefix: str, shown: str) -> UUID | None:
    """The id behind a public form, or None when it is none of this kind.

    >>> parse("trn", "trn_00000000000000000000000001")
    UUID('00000000-0000-0000-0000-000000000001')
    >>> parse("trn", "upl_00000000000000000000000001") is None
    True
    """
    head, separator, tail = shown.partition("_")
    if head != prefix or not separator or len(tail) != _LENGTH or any(letter not in _VALUES for letter in tail):
        return None
    number = 0
    for letter in tail:
        number = number << 5 | _VALUES[letter]
    return UUID(int=number) if number < 1 << 128 else None
