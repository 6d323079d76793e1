"""From JSON Schema to Python annotations."""

from __future__ import annotations

from collections.abc import Mapping

from document import Schema, ref_name

FORMATS = {"date-time": "datetime", "date": "date", "decimal": "Decimal", "binary": "bytes"}
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Annotations:
    """`open_ended`: for answers, where a newer server may say more; else for what is sent: checkers refuse it."""

    def __init__(self, classes: Mapping[str, str], *, open_ended: bool) -> None:
        self._classes = classes
        self._open = open_ended

    def of(self, schema: Schema) -> str:
        """
        >>> sent, got = Annotations({}, open_ended=False), Annotations({"WordOut": "Word"}, open_ended=True)
        >>> sent.of({"type": "array", "items": {"type": "string"}})
        'Sequence[str]'
        >>> got.of({"type": "array", "items": {"$ref": "/WordOut"}})
        'list[Word]'
        >>> sent.of({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]})
        'datetime | str | None'
        >>> sent.of({"enum": ["a"], "type": "string"}), got.of({"enum": ["a"], "type": "string"})
        ("Literal['a']", "Literal['a'] | str")
        """
        if "$ref" in schema:
            return self._classes.get(ref_name(schema), "dict[str, Any]" if self._open else "Mapping[str, Any]")
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            values = f"Literal[{', '.join(map(repr, schema['enum']))}]"
            return f"{values} | str" if self._open else values
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self.union([self.of(one) for one in schema[union]])
        if isinstance(kinds := schema.get("type"), list):
            return self.union([self.of(schema | {"type": kind}) for kind in kinds])
        return self._typed(schema)

    def _typed(self, schema: Schema) -> str:
        kind = schema.get("type")
        if kind == "array":
            return f"{'list' if self._open else 'Sequence'}[{self.of(schema.get('items', {}))}]"
        if kind == "object":
            return f"{'dict' if self._open else 'Mapping'}[str, {self._values(schema)}]"
        if kind == "string" and schema.get("format") in FORMATS:
            given = FORMATS[schema["format"]]
            return given if self._open or given == "bytes" else f"{given} | str"
        return PLAIN.get(str(kind), "Any")

    def _values(self, schema: Schema) -> str:
        for values in (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()):
            if isinstance(values, dict):
                return self.of(values)
        return "Any"

    @staticmethod
    def union(parts: list[str]) -> str:
        """None last; each once."""
        kinds = dict.fromkeys(kind for part in parts for kind in part.split(" | "))
        return " | ".join([*(kind for kind in kinds if kind != "None"), *(["None"] if "None" in kinds else [])])


def is_nullable(schema: Schema) -> bool:
    return any(one.get("type") == "null" for one in schema.get("anyOf", []))
