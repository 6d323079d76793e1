"""What can be wrong with an order to speak.

SynthesisError
├── TextUnusable  nothing to say, too much, or not valid SSML
├── NoVoice       no voice fits; names those that do
└── SpeakFailed   an engine could not speak (kind: transient | permanent)
"""

from __future__ import annotations

from typing import Literal

from speech.contracts import SpeechError


class SynthesisError(SpeechError):
    """Base: a stable code, a sentence that says what to do, the field of the request."""


class TextUnusable(SynthesisError):
    """The text cannot be spoken."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail, field="text")


class NoVoice(SynthesisError):
    """No voice fits."""

    def __init__(self, code: str, detail: str, *, field: str = "voice") -> None:
        super().__init__(code, detail, field=field)


class SpeakFailed(Exception):
    """An engine's failure: `kind` decides what happens next; `retry_after_s` when the engine named a time."""

    def __init__(
        self,
        *,
        kind: Literal["transient", "permanent"],
        code: str,
        detail: str,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code)
        self.kind, self.code, self.detail, self.retry_after_s = kind, code, detail, retry_after_s
