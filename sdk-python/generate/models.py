"""Emits `_generated/models.py`: one class per schema, and `_generated/params.py`: what may be sent."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence

from annotations import Annotations, is_nullable
from document import Document, Operation, Schema
from text import HEADER, docstring

IMPORTS = (
    "from datetime import date, datetime\nfrom decimal import Decimal\nfrom typing import Any, Literal\n\n"
    "from pydantic import Field\n\nfrom parlance._model import Model\n\n"
)
PARAMS_IMPORTS = (
    "from collections.abc import Mapping, Sequence\nfrom datetime import date, datetime\nfrom decimal import Decimal\n"
    "from typing import Any, Literal\n\nfrom typing_extensions import Required, TypedDict\n\n"
)
# Options of the first lines: what creating a job takes, but what those lines fill in themselves.
OPTIONS = {
    "TranscriptionOptions": ("create_transcription", {"upload_id", "audio_url", "idempotency_key"}),
    "SpeechOptions": ("create_speech", {"text", "ssml", "idempotency_key"}),
}


def models(document: Document, told: Mapping[str, str]) -> str:
    """The source of the models; `told`: those of events by their names."""
    exported = sorted([*document.classes.values(), *document.extras.values(), *told])
    names = "".join(f"    {name!r},\n" for name in exported)
    source = HEADER.format(title="What the API answers.") + IMPORTS + f"__all__ = [\n{names}]\n\n"
    answered = [_model(document, name) for name in sorted(document.classes, key=document.classes.__getitem__)]
    extras = [_extra(document, name) for name in document.extras]
    return source + "\n".join([*answered, *extras, *told.values()])


def _model(document: Document, name: str) -> str:
    schema, kind = document.schemas[name], document.classes[name]
    text = schema.get("description", "") or f"A {kind}."
    return _class(document, kind, text, schema.get("properties", {}), schema.get("required", []))


def _extra(document: Document, name: str) -> str:
    fields, needed = document.extra_fields(name), document.schemas[name].get("required", [])
    return _class(document, document.extras[name], "What the list tells beside its things.", fields, needed)


def _class(document: Document, kind: str, text: str, fields: Mapping[str, Schema], needed: Sequence[str]) -> str:
    got = Annotations(document.classes, open_ended=True)
    lines = [f"class {kind}(Model):", docstring(text, indent="    ")]
    lines += [model_field(got, field, shape, required=field in needed) for field, shape in fields.items()]
    return "\n".join(lines) + "\n\n"


def model_field(got: Annotations, name: str, schema: Schema, *, required: bool) -> str:
    """One line of a model, and the field's text below it."""
    kind, safe = got.of(schema), f"{name}_" if keyword.iskeyword(name) else name
    given = "" if required else repr(schema.get("default"))
    if not required and schema.get("default") is None and not is_nullable(schema) and kind != "Any":
        kind = f"{kind} | None"
    if safe != name:
        extra = f", default={given}" if given else ""
        return f"    {safe}: {kind} = Field(alias={name!r}{extra})"
    line = f"    {safe}: {kind}" + (f" = {given}" if given else "")
    text = schema.get("description", "")
    return line + ("\n" + docstring(text, indent="    ") if text else "")


def params(document: Document) -> str:
    """The source of what may be sent inside of requests, and of the options of `transcribe` and `speak`."""
    by_id = {one.operation_id: one for one in document.operations}
    sent = Annotations(document.params, open_ended=False)
    nested = [_nested(name, document.schemas[schema], sent) for schema, name in document.params.items()]
    options = [_options(name, by_id[one], without, sent) for name, (one, without) in OPTIONS.items() if one in by_id]
    return HEADER.format(title="What may be sent along.") + PARAMS_IMPORTS + "\n\n".join([*nested, *options])


def _nested(name: str, schema: Schema, sent: Annotations) -> str:
    fields, needed = schema.get("properties", {}), schema.get("required", [])
    kinds = {field: f"Required[{sent.of(one)}]" if field in needed else sent.of(one) for field, one in fields.items()}
    if any(map(keyword.iskeyword, fields)):  # no class can have such a field
        return (
            f"{name} = TypedDict({name!r}, {{{', '.join(f'{f!r}: {k!r}' for f, k in kinds.items())}}}, total=False)\n"
        )
    lines = [f"class {name}(TypedDict, total=False):"]
    lines.append(docstring(schema.get("description", "") or f"A {name}.", indent="    "))
    lines += [_option(field, kind, fields[field].get("description", "")) for field, kind in kinds.items()]
    return "\n".join(lines) + "\n"


def _options(name: str, operation: Operation, without: set[str], sent: Annotations) -> str:
    lines = [f"class {name}(TypedDict, total=False):", f'    """{operation.summary}: the options."""\n']
    fields = [field for field in operation.fields if field.place == "body" and field.name not in without]
    return "\n".join([*lines, *(_option(field.name, sent.of(field.schema), field.text) for field in fields)]) + "\n"


def _option(name: str, kind: str, text: str) -> str:
    return f"    {name}: {kind}\n" + (docstring(text, indent="    ") if text else "")
