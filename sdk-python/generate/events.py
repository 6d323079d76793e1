"""Emits `_generated/events.py`: a class per webhook event."""

from __future__ import annotations

import json
from typing import Any

from annotations import Annotations
from document import Document, Schema
from models import model_field
from naming import pascal
from text import HEADER, docstring, sentence

IMPORTS = (
    "from datetime import datetime\nfrom typing import Any, Literal, TypeAlias, Union\n\nfrom pydantic import Field\n\n"
    "from parlance._model import BaseEvent, Model, UnknownEvent\n"
)


def events(document: Document) -> str:
    """The source: data of thin events, one class per type, their union, and the table to parse by."""
    hooks = {name: one["post"] for name, one in sorted(document.raw.get("webhooks", {}).items())}
    datas = {name: _data(hook) for name, hook in hooks.items()}
    thin = _thin_classes(datas)
    got = Annotations(document.classes, open_ended=True)
    kinds = {name: thin.get(_key(data)) or got.of(_resource_of(data)) for name, data in datas.items()}
    models = sorted({kind for kind in kinds.values() if kind in document.classes.values()})
    source = HEADER.format(title="What webhooks tell.") + IMPORTS
    source += f"from parlance._generated.models import {', '.join(models)}\n\n\n"
    exported = sorted([*(f"{pascal(name)}Event" for name in hooks), *thin.values()])
    source += f"__all__ = {exported!r}\n\n\n"
    for name, data in {thin[_key(data)]: data for data in datas.values() if _key(data) in thin}.items():
        source += _thin(name, data, got)
    source += "".join(_event(name, hook, kinds[name]) for name, hook in hooks.items())
    classes = [f"{pascal(name)}Event" for name in hooks]
    source += f"WebhookEvent: TypeAlias = Union[{', '.join([*classes, 'UnknownEvent'])}]\n\n"
    table = ", ".join(f"{name!r}: {pascal(name)}Event" for name in hooks)
    return source + f"EVENTS: dict[str, type[BaseEvent]] = {{{table}}}\n"


def _data(hook: Schema) -> Schema:
    schema: Schema = hook["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]
    return schema


def _resource_of(data: Schema) -> Schema:
    """What `allOf` extends: the resource as GET shows it."""
    return next((one for one in data.get("allOf", [data]) if "$ref" in one), data)


def _key(data: Schema) -> str:
    return json.dumps(data, sort_keys=True)


def _thin_classes(datas: dict[str, Schema]) -> dict[str, str]:
    """Data that is no resource of the API, by its own text; what is equal shares a class."""
    found: dict[str, str] = {}
    for data in datas.values():
        if "properties" in data:
            said: Any = data["properties"].get("object", {}).get("const")
            found.setdefault(_key(data), f"{pascal(said)}Told" if said else "Told")
    names = list(found.values())
    return {
        key: name if names.count(name) == 1 else f"{name}{place}" for place, (key, name) in enumerate(found.items())
    }


def _thin(name: str, data: Schema, got: Annotations) -> str:
    text = docstring("What an event tells of its subject.", indent="    ")
    needed = data.get("required", [])
    fields = [model_field(got, field, shape, required=field in needed) for field, shape in data["properties"].items()]
    return f"class {name}(Model):\n{text}\n" + "\n".join(fields) + "\n\n\n"


def _event(name: str, hook: Schema, kind: str) -> str:
    text = docstring(sentence(hook.get("summary", "")), indent="    ")
    return f"class {pascal(name)}Event(BaseEvent):\n{text}\n    type: Literal[{name!r}]\n    data: {kind}\n\n\n"
