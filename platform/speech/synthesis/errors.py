"""What can be wrong with an order to speak.

SynthesisError
├── TextUnusable  nothing to say, too much, or not valid SSML
├── NoVoice       no voice fits; names those that do
├── ContentRefused the tenant's content policy forbids the text
├── AliasTaken    there is an alias of that name
├── TermTaken     the dictionary has that term
├── ShelfFull     the tenant has as many of a thing as it may
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


class ContentRefused(SynthesisError):
    """The tenant does not want this said; the detail never quotes the text."""

    def __init__(self, detail: str) -> None:
        super().__init__("content_policy", detail, field="text")


class AliasTaken(SynthesisError):
    """There is an alias of that name."""

    def __init__(self, name: str) -> None:
        super().__init__("alias_taken", f"There is an alias {name!r}. PATCH it, or take another name.", field="name")


class TermTaken(SynthesisError):
    """The dictionary has that term."""

    def __init__(self) -> None:
        super().__init__("term_taken", "The dictionary has this term in this language. PATCH its entry.", field="term")


class ShelfFull(SynthesisError):
    """A limit per tenant and mode is reached."""

    def __init__(self, kind: str, limit: int) -> None:
        super().__init__("too_many", f"There are {limit} {kind}, and no more are possible. Delete one first.")


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
