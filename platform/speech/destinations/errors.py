"""What can be wrong with a destination.

SpeechError
└── DestinationError  it cannot be used, or cannot be written to; `may_pass` tells whether trying later can help
"""

from __future__ import annotations

from speech.contracts import SpeechError


class DestinationError(SpeechError):
    """A stable code and a sentence that says what to do; never the provider's own text, which may quote names."""

    def __init__(self, code: str, detail: str, *, field: str = "", may_pass: bool = False) -> None:
        super().__init__(code, detail, field=field)
        self.may_pass = may_pass
