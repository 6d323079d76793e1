"""A form under a table, as data: what is asked for, in which fields. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from console.finance.handling import Visit

REASONS: Final = ("goodwill", "outage", "quality", "pricing", "duplicate", "other")


@dataclass(frozen=True, slots=True)
class Field:
    """`options` are chosen from; `example` shows how a value is written."""

    name: str
    label: str
    kind: Literal["text", "lines", "choice"] = "text"
    example: str = ""
    required: bool = True
    options: tuple[str, ...] = ()
    value: str = ""
    most: int = 500


@dataclass(frozen=True, slots=True)
class Form:
    """`action` takes it; `button` is what the person does."""

    title: str
    action: str
    fields: tuple[Field, ...]
    button: str


def asking(visit: Visit, title: str, action: str, *fields: Field) -> Form:
    """A wish with its reason, on which another person decides; `title` is a text as it is shown."""
    why = (
        Field("reason", visit.say("Reason"), "choice", options=REASONS),
        Field("text", visit.say("Text")),
        Field("evidence", visit.say("Evidence"), required=False),
    )
    return Form(title, action, (*fields, *why), visit.say("Ask"))
