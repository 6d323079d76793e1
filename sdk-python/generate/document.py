"""The OpenAPI document as values: operations with what their methods need, and the schemas they reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import naming

# Routes for OpenAI's own SDKs: who wants their shapes has a client for them already. The operator's are no customer's.
LEFT_OUT_TAGS = frozenset({"openai", "operators"})
LIST_FIELDS = frozenset({"object", "data", "has_more", "next_cursor"})
Schema = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body. `wire` is its name on the wire."""

    name: str
    wire: str
    schema: Schema
    required: bool
    place: str  # path, query, header or body

    @property
    def text(self) -> str:
        return str(self.schema.get("description", ""))


@dataclass(frozen=True)
class Operation:
    """One method of one resource."""

    operation_id: str
    resource: tuple[str, ...]
    name: str
    method: str
    path: str
    summary: str
    text: str
    fields: list[Field]
    body: Schema | None
    answers: dict[int, dict[str, Schema]]  # status → media type → schema or its extension
    events: dict[str, Schema]
    prefers: frozenset[str]
    is_list: bool
    is_repeatable: bool

    @property
    def is_keyed(self) -> bool:
        return any(field.wire == "Idempotency-Key" for field in self.fields)

    @property
    def has_file(self) -> bool:
        """Whether some media type of the answer is bytes: text of it would be broken."""
        return any(schema.get("format") == "binary" for content in self.answers.values() for schema in content.values())

    def shown(self, media: str) -> dict[int, Schema]:
        """The schemas of the answers whose media type begins so."""
        return {
            status: next(schema for kind, schema in content.items() if kind.startswith(media))
            for status, content in self.answers.items()
            if any(kind.startswith(media) for kind in content)
        }


class Document:
    """The document of one version of the API."""

    def __init__(self, path: Path) -> None:
        self.raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self.version = str(self.raw["info"]["version"])
        self.schemas: dict[str, Schema] = dict(_definitions(self.raw["paths"])) | self.raw["components"]["schemas"]
        self.operations = list(self._operations())
        got, sent = self._reached(self._answers()), self._reached(field.schema for field in self._sent_fields())
        shown = {name: self.schemas[name] for name in sorted(got) if not self._is_list(self.schemas[name])}
        self.classes = naming.class_names(shown)
        lists = [name for name in sorted(got) if self._is_list(self.schemas[name])]
        self.extras = {name: naming.extra_name(name) for name in lists if self.extra_fields(name)}
        self.params = {name: f"{name.removesuffix('In')}Params" for name in sorted(sent)}

    def extra_fields(self, name: str) -> dict[str, Schema]:
        """What a list tells beside its things."""
        properties = self.schemas[name]["properties"]
        return {field: shape for field, shape in properties.items() if field not in LIST_FIELDS}

    def resolve(self, schema: Schema) -> Schema:
        return self.schemas[ref_name(schema)] if "$ref" in schema else schema

    def _operations(self) -> Iterator[Operation]:
        kept = {
            path: {method: one for method, one in methods.items() if not LEFT_OUT_TAGS & set(one.get("tags", []))}
            for path, methods in sorted(self.raw["paths"].items())
        }
        kept = {path: methods for path, methods in kept.items() if methods}
        resources = naming.resources_of(kept)
        for path, methods in kept.items():
            for method, raw in methods.items():
                yield self._operation(path, method, raw, resources=resources, alone=len(methods) == 1)

    def _operation(
        self, path: str, method: str, raw: Schema, *, resources: set[tuple[str, ...]], alone: bool
    ) -> Operation:
        fine = {int(status): one.get("content", {}) for status, one in raw["responses"].items() if int(status) < 300}
        is_list = any(self._is_list(kind.get("schema", {})) for content in fine.values() for kind in content.values())
        statics = naming.statics(path)
        name = naming.method_name(method, path, resources=resources, is_list=is_list, alone=alone)
        owner = statics if statics in resources else statics[:-1]
        while owner not in resources:
            owner = owner[:-1]
        if "x-sdk-name" in raw:  # a name that must outlive the rules above
            *owner_parts, name = raw["x-sdk-name"].split(".")
            owner = tuple(owner_parts)
        body = raw.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        stream: Schema = next((one["text/event-stream"] for one in fine.values() if "text/event-stream" in one), {})
        return Operation(
            operation_id=raw["operationId"], resource=owner, name=name, method=method.upper(), path=path,
            summary=raw.get("summary", ""), text=raw.get("description", ""),
            fields=[*self._parameters(raw), *(self._body_fields(body) if body else [])], body=body,
            answers={int(status): _schemas(content) for status, content in fine.items()},
            events=stream.get("x-events", {}), prefers=frozenset(raw.get("x-prefer", ())), is_list=is_list,
            is_repeatable=bool(raw.get("x-repeatable")),
        )  # fmt: skip

    def _is_list(self, schema: Schema) -> bool:
        return LIST_FIELDS - {"object"} <= set(self.resolve(schema).get("properties", {}))

    def _parameters(self, raw: Schema) -> Iterator[Field]:
        for one in raw.get("parameters", []):
            schema = one["schema"] | ({"description": one["description"]} if "description" in one else {})
            yield Field(naming.snake(one["name"]), one["name"], schema, bool(one.get("required")), one["in"])

    def _body_fields(self, body: Schema) -> Iterator[Field]:
        schema = self.resolve(body)
        needed = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            yield Field(naming.snake(name), name, field, name in needed, "body")

    def _answers(self) -> list[Any]:
        """Everything that comes from the server."""
        problem = {"$ref": "#/components/schemas/ProblemOut"}
        return [self.raw.get("webhooks", {}), problem, *([one.answers, one.events] for one in self.operations)]

    def _sent_fields(self) -> Iterator[Field]:
        return (field for one in self.operations for field in one.fields)

    def _reached(self, roots: Iterable[Any]) -> set[str]:
        """The schemas that these lead to."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            for name in refs(waiting.pop()) - found:
                found.add(name)
                waiting.append(self.schemas[name])
        return found


def _definitions(value: Any) -> Iterator[tuple[str, Schema]]:
    """Schemas that stand inside of others."""
    if isinstance(value, dict):
        yield from value.get("$defs", {}).items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _definitions(inner)


def _schemas(content: Schema) -> dict[str, Schema]:
    return {kind: one.get("schema", {}) for kind, one in content.items()}


def ref_name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def refs(value: Any) -> set[str]:
    """The names of all schemas that a piece of the document refers to."""
    if isinstance(value, dict):
        own = {ref_name(value)} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(refs, value.values()))
    return set().union(*map(refs, value)) if isinstance(value, list) else set()
