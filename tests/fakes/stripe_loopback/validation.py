"""Parameters as Stripe checks them: unknown, missing and wrongly typed ones are refused by name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

JSON = dict[str, Any]
API: JSON = json.loads(Path(__file__).with_name("api.json").read_text("utf-8"))
_KEY = re.compile(r"\[([^\]]*)\]")


class Invalid(Exception):
    """A 400 of the kind invalid_request_error."""

    def __init__(self, message: str, *, code: str, param: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.param = message, code, param


def decoded(form: str) -> JSON:
    """`a[b][0][c]=v` as nested values."""
    found: JSON = {}
    for name, value in parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form)):
        head, _, rest = name.partition("[")
        place, keys = found, [head, *_KEY.findall("[" + rest if rest else "")]
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return found


def checked(operation: str, given: JSON) -> JSON:
    """The parameters in their own types. Raises `Invalid`."""
    name = API["operations"][operation]
    if name is None:
        if given:
            raise _unknown(next(iter(given)))
        return {}
    return _object(API["params"][name], given, "")


def _object(schema: JSON, given: Any, path: str) -> JSON:
    if not isinstance(given, dict):
        raise Invalid(f"Invalid object: {path}", code="parameter_invalid", param=path)
    for name in given:
        if name not in schema["properties"]:
            raise _unknown(_inside(path, name))
    for name in schema.get("required", ()):
        if name not in given:
            missing = _inside(path, name)
            raise Invalid(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
    return {name: _value(schema["properties"][name], value, _inside(path, name)) for name, value in given.items()}


def _value(schema: JSON, given: Any, path: str) -> Any:
    if "$ref" in schema:
        return _object(API["params"][schema["$ref"]], given, path)
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], given, path)
    if "enum" in schema and given not in schema["enum"]:
        raise Invalid(f"Invalid {path}: must be one of {', '.join(schema['enum'])}", code="parameter_invalid_string",
                      param=path)  # fmt: skip
    if schema.get("type") == "array":
        return _array(schema, given, path)
    if schema.get("type") == "object":
        return _mapping(schema, given, path)
    return _scalar(schema.get("type", "string"), given, path)


def _array(schema: JSON, given: Any, path: str) -> list[Any]:
    if not isinstance(given, dict) or list(given) != [str(place) for place in range(len(given))]:
        raise Invalid(f"Invalid array: {path}", code="parameter_invalid", param=path)
    return [_value(schema["items"], item, f"{path}[{place}]") for place, item in given.items()]


def _mapping(schema: JSON, given: Any, path: str) -> JSON:
    if "properties" in schema:
        return _object(schema, given, path)
    if not isinstance(given, dict):
        raise Invalid(f"Invalid object: {path}", code="parameter_invalid", param=path)
    for name, value in given.items():
        if path.endswith("metadata") and (len(name) > 40 or len(value) > 500):
            raise Invalid("Metadata is too long.", code="metadata_too_long", param=path)
    return dict(given)


def _any_of(schemas: list[JSON], given: Any, path: str) -> Any:
    refused: Invalid | None = None
    for schema in schemas:
        try:
            return _value(schema, given, path)
        except Invalid as error:
            refused = error
    assert refused is not None
    raise refused


def _scalar(kind: str, given: Any, path: str) -> Any:
    if not isinstance(given, str):
        raise Invalid(f"Invalid {kind}: {path}", code=f"parameter_invalid_{kind}", param=path)
    if kind == "integer":
        if not re.fullmatch(r"-?\d{1,12}", given):
            raise Invalid(f"Invalid integer: {given}", code="parameter_invalid_integer", param=path)
        return int(given)
    if kind == "boolean":
        if given not in ("true", "false"):
            raise Invalid(f"Invalid boolean: {given}", code="parameter_invalid_boolean", param=path)
        return given == "true"
    if not given:
        raise Invalid(f"You passed an empty string for '{path}'.", code="parameter_invalid_empty", param=path)
    if len(given) > 5_000:
        raise Invalid(f"Invalid string: {path} is too long", code="parameter_invalid_string", param=path)
    return given


def _unknown(path: str) -> Invalid:
    return Invalid(f"Received unknown parameter: {path}", code="parameter_unknown", param=path)


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
