"""Emits `_generated/events.py`: a class per webhook event; and the classes of their data for `models.py`."""

from __future__ import annotations

from annotations import Annotations
from document import Document, Schema, ref_name
from models import model_field
from naming import pascal
from text import HEADER, docstring, sentence

IMPORTS = "from typing import Literal, TypeAlias, Union\n\nfrom parlance._model import BaseEvent, UnknownEvent\n"


def events(document: Document) -> str:
    """The source: one class per type, their union, and the table to parse by."""
    told = Told(document)
    classes = [f"{pascal(name)}Event" for name in told.kinds]
    source = HEADER.format(title="What webhooks tell.") + IMPORTS
    source += f"from parlance._generated.models import {', '.join(told.sources)}\n\n\n"
    source += f"__all__ = {sorted([*classes, *told.sources])!r}\n\n\n"
    source += "".join(_event(name, summary, kind) for name, (summary, kind) in told.kinds.items())
    source += f"WebhookEvent: TypeAlias = Union[{', '.join([*classes, 'UnknownEvent'])}]\n\n"
    table = ", ".join(f"{name!r}: {pascal(name)}Event" for name in told.kinds)
    return source + f"EVENTS: dict[str, type[BaseEvent]] = {{{table}}}\n"


class Told:
    """The classes of events' data, each once: a resource with what events tell beside it, or what no route shows.

    They stand among the models: a subclass in another module would not find what its inherited fields name.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._got = Annotations(document.classes, open_ended=True)
        self.sources: dict[str, str] = {}
        hooks = sorted(document.raw.get("webhooks", {}).items())
        self.kinds = {name: (one["post"].get("summary", ""), self._kind(_data(one["post"]))) for name, one in hooks}

    def _kind(self, data: Schema) -> str:
        """The annotation of such data; its class is in `sources` then."""
        if "anyOf" in data:
            return " | ".join(map(self._kind, data["anyOf"]))
        parts = data.get("allOf", [data])
        resource = next((ref_name(one) for one in parts if "$ref" in one), "")
        known = self._document.schemas.get(resource, {}).get("properties", {})
        own = [one for one in parts if "$ref" not in one]
        fields = {name: shape for one in own for name, shape in one["properties"].items() if name not in known}
        base = self._document.classes.get(resource, "Model")
        name = f"{base if resource else pascal(fields['object']['const'])}Told"
        self._keep(name, base, fields, {field for one in own for field in one.get("required", ())})
        return name

    def _keep(self, name: str, base: str, fields: dict[str, Schema], needed: set[str]) -> None:
        text = docstring("What an event tells of its subject.", indent="    ")
        lines = [model_field(self._got, field, shape, required=field in needed) for field, shape in fields.items()]
        source = f"class {name}({base}):\n{text}\n" + "\n".join(lines) + "\n\n"
        if self.sources.setdefault(name, source) != source:
            raise SystemExit(f"sdk: two kinds of data would be {name}. Give one of them another `object`.")


def _data(hook: Schema) -> Schema:
    schema: Schema = hook["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]
    return schema


def _event(name: str, summary: str, kind: str) -> str:
    text = docstring(sentence(summary), indent="    ")
    return f"class {pascal(name)}Event(BaseEvent):\n{text}\n    type: Literal[{name!r}]\n    data: {kind}\n\n\n"
