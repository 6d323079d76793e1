"""The OpenAPI document as values that a page shows: operations by tag, fields of objects. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
REF = "#/components/schemas/"
DEEPEST = 4  # examples of objects in objects in objects: beyond that nobody reads on


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter or property; `links_to` names the object that it is or holds."""

    name: str
    type: str
    required: bool
    description: str = ""
    where: str = ""
    links_to: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One status of an operation, and the object it brings."""

    status: str
    description: str
    links_to: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


def operations(document: Document, *, base_url: str, take_files: frozenset[str] = frozenset()) -> list[Operation]:
    """Every operation, in the document's order; POSTs of `take_files` are shown with a file."""
    return [
        _operation(document, path, method, found, base_url=base_url, takes_file=path in take_files)
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    ]


def objects(document: Document) -> dict[str, tuple[Field, ...]]:
    """Every object of the API with its fields."""
    return {name: _fields(document, schema) for name, schema in document["components"]["schemas"].items()}


def type_of(schema: Mapping[str, Any]) -> tuple[str, str]:
    """How a schema is called, and the object that it leads to.

    >>> type_of({"anyOf": [{"type": "integer"}, {"type": "null"}]})
    ('integer or null', '')
    >>> type_of({"type": "array", "items": {"$ref": "#/components/schemas/WordOut"}})
    ('list of WordOut', 'WordOut')
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(REF)
        return name, name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            named = [type_of(one) for one in schema[several]]
            return " or ".join(dict.fromkeys(name for name, _ in named)), next((to for _, to in named if to), "")
    if schema.get("type") == "array":
        name, to = type_of(schema.get("items", {}))
        return f"list of {name}", to
    if "const" in schema:
        return f'"{schema["const"]}"', ""
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"]), ""
    return str(schema.get("format") or schema.get("type") or "any"), ""


def example(document: Document, schema: Mapping[str, Any], *, deep: int = 0) -> Any:
    """A value of this schema: required fields only, first choices."""
    if "$ref" in schema:
        return example(document, _resolved(document, schema), deep=deep)
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return example(document, schema[several][0], deep=deep)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "array":
        return [example(document, schema.get("items", {}), deep=deep + 1)]
    if schema.get("type") == "object" and deep < DEEPEST:
        needed = schema.get("required", ())
        return {name: example(document, one, deep=deep + 1) for name, one in _properties(schema) if name in needed}
    return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True}.get(schema.get("type", ""), "…")


def _operation(
    document: Document, path: str, method: str, found: Mapping[str, Any], *, base_url: str, takes_file: bool
) -> Operation:
    body = _body_schema(found)
    sent = _body_of_curl(document, method, body, takes_file=takes_file)
    return Operation(
        id=found["operationId"], tag=(found.get("tags") or ["other"])[0], method=method.upper(), path=path,
        summary=found.get("summary", ""), description=found.get("description", ""),
        parameters=tuple(_parameter(one) for one in found.get("parameters", ())),
        body=_fields(document, body) if body else (),
        answers=tuple(_answer(status, one) for status, one in found["responses"].items()),
        curl=_curl(f"{base_url}{path}", method, sent),
    )  # fmt: skip


def _body_schema(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    kinds = found.get("requestBody", {}).get("content", {})
    return next((kind["schema"] for kind in kinds.values()), None)


def _parameter(found: Mapping[str, Any]) -> Field:
    type_name, to = type_of(found.get("schema", {}))
    description = found.get("description") or found.get("schema", {}).get("description", "")
    return Field(found["name"], type_name, bool(found.get("required")), description, found["in"], to)


def _answer(status: str | int, found: Mapping[str, Any]) -> Answer:
    schema: Mapping[str, Any] = next((kind.get("schema", {}) for kind in found.get("content", {}).values()), {})
    return Answer(str(status), found.get("description", ""), type_of(schema)[1] if schema else "")


def _fields(document: Document, schema: Mapping[str, Any]) -> tuple[Field, ...]:
    schema = _resolved(document, schema)
    needed = schema.get("required", ())
    return tuple(
        Field(name, type_of(one)[0], name in needed, one.get("description", ""), links_to=type_of(one)[1])
        for name, one in _properties(schema)
    )


def _properties(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(schema.get("properties", {}).items())


def _resolved(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema
    if "$ref" in schema:
        found = document["components"]["schemas"][str(schema["$ref"]).removeprefix(REF)]
    return found


def _body_of_curl(document: Document, method: str, body: Mapping[str, Any] | None, *, takes_file: bool) -> list[str]:
    if takes_file and method == "post":
        return ["-F file=@call.wav"]
    if body is None:
        return []
    value = example(document, body)
    if value == {}:  # nothing is required: the first field shows the shape
        value = {name: example(document, one) for name, one in _properties(_resolved(document, body))[:1]}
    shown = json.dumps(value, ensure_ascii=False).replace("'", "'\\''")
    return ['-H "Content-Type: application/json"', f"-d '{shown}'"]


def _curl(url: str, method: str, body: list[str]) -> str:
    implied = method == "get" or (method == "post" and body)
    verb = [] if implied else [f"-X {method.upper()}"]
    return " \\\n  ".join([f"curl {url}", *verb, '-H "Authorization: Bearer $KEY"', *body])
