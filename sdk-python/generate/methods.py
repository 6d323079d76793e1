"""Emits one method of a resource class, as async source; the sync twin is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from annotations import Annotations
from document import Document, Field, Operation, Schema, ref_name
from naming import segments
from text import docstring, sentence

SKIPPED_HEADERS = frozenset({"Last-Event-ID"})  # the stream itself sends it when it comes back


class Method:
    """One operation as a method."""

    def __init__(self, document: Document, operation: Operation) -> None:
        self._document = document
        self._operation = operation
        self._got = Annotations(document.classes, open_ended=True)
        self._sent = Annotations(document.params, open_ended=False)
        self.fields = [field for field in operation.fields if field.wire not in SKIPPED_HEADERS]

    @property
    def kind(self) -> str:
        """What comes back: stream, page, json, formats (JSON or text), file, text or nothing."""
        one = self._operation
        if one.shown("text/event-stream"):
            return "stream"
        if one.is_list:
            return "page"
        if one.shown("application/json"):
            return "formats" if self._has_formats() else "json"
        if one.has_file:
            return "file"
        if one.shown("text/"):
            return "text"
        # A GET whose answer the document does not describe is a file.
        return "file" if one.method == "GET" else "nothing"

    @property
    def is_awaited(self) -> bool:
        return self.kind not in {"stream", "page", "file"}

    @property
    def name(self) -> str:
        return self._operation.name

    @property
    def raw(self) -> str | None:
        """What makes its raw twin; streams and files have none: their `open()` gives the HTTP answer."""
        return "a_raw" if self.is_awaited else "a_raw_page" if self.kind == "page" else None

    @property
    def returns(self) -> str:
        """The annotation of what the method returns."""
        one = self._operation
        if self.kind == "stream":
            return f"AsyncEventStream[{' | '.join(dict.fromkeys(self._event_classes().values())) or 'Any'}]"
        if self.kind == "page":
            item, extra = self._listed()
            return f"AsyncPager[{item}]" if extra == "Model" else f"AsyncPager[{item}, {extra}]"
        if self.kind in {"json", "formats"}:
            kinds = " | ".join(dict.fromkeys(self._got.of(one) for one in one.shown("application/json").values()))
            return kinds if self.kind == "json" else f"{kinds} | str"
        return {"file": "AsyncByteStream", "text": "str", "nothing": "None"}[self.kind]

    def source(self) -> str:
        """The method, with its overloads if what it returns depends on the format."""
        head = "async def" if self.is_awaited else "def"
        text = "\n\n".join([sentence(self._operation.summary), self._operation.text])
        body = docstring(text, indent="        ", notes=self._notes()) + self._body()
        overloads = self._overloads()
        return f"{overloads}    {head} {self._operation.name}({self._signature()}) -> {self.returns}:\n{body}"

    def _notes(self) -> list[str]:
        told = [field for field in self.fields if field.text and field.place != "path"]
        return [f"`{field.name}`: {' '.join(field.text.split())}" for field in told]

    def _has_formats(self) -> bool:
        values: list[str] = next((field.schema.get("enum", []) for field in self.fields if field.wire == "format"), [])
        return "json" in values and bool(self._operation.shown("text/"))

    def _overloads(self) -> str:
        """What comes back is known to a checker by the argument that decides it."""
        return "".join(
            f"    @overload\n    async def {self._operation.name}({self._signature({wire: kind})}) -> {returns}: ...\n"
            for wire, kind, returns in self._shapes()
        )

    def _shapes(self) -> list[tuple[str, str, str]]:
        """Argument, its annotation, and what is returned then; nothing when that is always the same."""
        shown = {status: self._got.of(one) for status, one in self._operation.shown("application/json").items()}
        if self.kind == "formats":  # `json`, also when left out, gives the model; every other one is text
            others = next(field.schema["enum"] for field in self.fields if field.wire == "format")
            text = f"Literal[{', '.join(repr(one) for one in others if one != 'json')}]"
            return [("format", "Literal['json'] | None = None", next(iter(shown.values()))), ("format", text, "str")]
        if len(set(shown.values())) > 1 and any(field.wire == "dry_run" for field in self.fields):
            # A dry run is counted at once, with 200; what is really done is only accepted.
            return [
                ("dry_run", "Literal[True]", shown[200]),
                ("dry_run", "Literal[False] | None = None", shown[202]),
                ("dry_run", "bool | None = None", self.returns),
            ]
        return []

    def _signature(self, as_kinds: Mapping[str, str] | None = None) -> str:
        places = [f"{field.name}: str" for field in self.fields if field.place == "path"]
        named = [field for field in self.fields if field.place != "path"]
        keyed = [self._keyword(field, as_kinds or {}) for field in sorted(named, key=lambda field: not field.required)]
        keyed += ["wait_s: float | None = None"] if "wait" in self._operation.prefers else []
        return ", ".join(["self", *places, "*", *keyed, "options: RequestOptions | None = None"])

    def _keyword(self, field: Field, as_kinds: Mapping[str, str]) -> str:
        if field.wire in as_kinds:
            return f"{field.name}: {as_kinds[field.wire]}"
        kind = self._sent.of(field.schema)
        if field.required:
            return f"{field.name}: {kind}"
        if self._operation.method == "PATCH" and field.place == "body":
            return f"{field.name}: {self._sent.union([kind, 'Omit'])} = OMIT"
        kind = kind if kind == "Any" or kind.endswith("| None") else f"{kind} | None"
        return f"{field.name}: {kind} = None"

    def _body(self) -> str:
        call = f"        call = {self._call()}\n"
        if self.kind == "stream":
            shapes = "{" + ", ".join(f"{name!r}: {shape}" for name, shape in self._event_classes().items()) + "}"
            return call + f"        return AsyncEventStream(self._transport, call, {shapes})\n"
        if self.kind == "page":
            return call + f"        return AsyncPager(self._transport, call, {', '.join(self._listed())})\n"
        if self.kind == "file":
            return call + "        return AsyncByteStream(self._transport, call)\n"
        if self.kind == "nothing":
            return f"{call}        await self._transport.send(call)\n"
        return f"{call}        response = await self._transport.send(call)\n{self._parsed()}"

    def _parsed(self) -> str:
        if self.kind == "text":
            return "        return response.text\n"
        shown = {status: self._got.of(schema) for status, schema in self._operation.shown("application/json").items()}
        first, *others = dict.fromkeys(shown.values())
        lines = []
        if self.kind == "formats":
            lines.append("        if not is_json(response):\n            return response.text\n")
        for other in others:
            statuses = {status for status, kind in shown.items() if kind == other}
            test = " or ".join(f"response.status_code == {status}" for status in sorted(statuses))
            lines.append(f"        if {test}:\n            return parse(response, {other})\n")
        return "".join(lines) + f"        return parse(response, {first})\n"

    def _call(self) -> str:
        parts = [f"{self._operation.method!r}", self._path()]
        for place, argument in (("query", "query"), ("body", "body"), ("header", "headers")):
            found = [field for field in self.fields if field.place == place and field.wire != "Idempotency-Key"]
            if found or (place == "body" and self._operation.body is not None):
                parts.append(f"{argument}={{{', '.join(f'{field.wire!r}: {field.name}' for field in found)}}}")
        if self._operation.is_keyed:
            parts.append("idempotency_key=idempotency_key or new_key()")
        if self._operation.is_repeatable:
            parts.append("is_harmless=True")
        if "wait" in self._operation.prefers:
            parts.append("wait_s=wait_s")
        if "respond-async" in self._operation.prefers:
            parts.append("prefer='respond-async'")
        return f"Call({', '.join([*parts, 'options=options'])})"

    def _path(self) -> str:
        parts = segments(self._operation.path)
        names = {field.wire: field.name for field in self.fields if field.place == "path"}
        shown = [f"{{quoted({names[part[1:-1]]})}}" if part.startswith("{") else part for part in parts]
        text = "/v1/" + "/".join(shown)
        return f'f"{text}"' if names else f'"{text}"'

    def _listed(self) -> tuple[str, str]:
        """The class of the things that a list lists, and that of what it tells beside them."""
        shape: Schema = next(iter(self._operation.shown("application/json").values()))
        item = self._got.of(self._document.resolve(shape)["properties"]["data"]["items"])
        return item, self._document.extras.get(ref_name(shape), "Model")

    def _event_classes(self) -> dict[str, str]:
        return {name: self._document.classes[ref_name(shape)] for name, shape in self._operation.events.items()}
