"""Multipart bodies, taken apart while they stream: the file goes straight into the store, fields stay in memory.

Memory stays flat whatever the file's size; a small file is written at once, by the thread that answers. Parsed by
`python-multipart`; RFC 7578.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from apikit.asgi import ClientGone, Receive
from apikit.problems import FieldError, Problem

MAX_FIELDS = 64
MAX_PARTS = 1_200  # a list has one part for each item: a thousand keywords, and everything else
MAX_FIELD_BYTES = 65_536
MAX_FIELDS_BYTES = 1_000_000  # of all fields together, as of a JSON body
MAX_HEADER_BYTES = 8_192
HEAD_BYTES = 4_096  # kept of a file, so that what is no audio can be told without opening it again
WRITE_BYTES = 262_144  # a hop to a thread per chunk: larger costs memory, smaller costs CPU


class FileWriter(Protocol):
    """Where the file's bytes go: visible after `commit`, or not at all."""

    def write(self, chunk: bytes) -> None: ...

    def commit(self) -> Any: ...

    def abort(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FormFile:
    """The one file of a form, already in the store."""

    object_key: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    head: bytes
    content: bytes | None = None


@dataclass(slots=True)
class Form:
    """A parsed multipart body. A small file is in memory still: call `keep` before anybody looks for it."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    file: FormFile | None = None
    open_file: Callable[[], tuple[str, FileWriter]] | None = None

    def keep(self) -> None:
        """Blocking: bring the file into the store, unless it is there."""
        if self.open_file is None or self.file is None or self.file.content is None:
            return
        object_key, writer = self.open_file()
        try:
            writer.write(self.file.content)
            writer.commit()
        finally:
            writer.abort()
        self.file, self.open_file = replace(self.file, object_key=object_key), None


def boundary_of(content_type: str) -> bytes:
    """The boundary of a multipart type; raises a 400 `Problem` when there is none."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 70:
        raise Problem("invalid_multipart", 400, "The multipart Content-Type has no usable boundary.")
    return boundary


class FormReader:
    """Reads one multipart body. `open_file()` gives (object key, writer) for the one file it may hold."""

    def __init__(self, *, max_bytes: int, open_file: Callable[[], tuple[str, FileWriter]]) -> None:
        self._max_bytes = max_bytes
        self._open_file = open_file
        self._parts: list[Part] = []
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._seen_bytes = self._field_bytes = 0
        self._names: set[str] = set()

    async def read(self, receive: Receive, *, content_type: str) -> Form:
        """The form; on any failure nothing of the file remains."""
        parser = MultipartParser(boundary_of(content_type), self._callbacks())
        try:
            await self._pump(receive, parser)
            form = self._form()
            for part in self._file_parts():
                await asyncio.to_thread(part.commit)
        except BaseException:
            for part in self._file_parts():
                await asyncio.to_thread(part.abort)
            raise
        return form

    def _file_parts(self) -> list[Part]:
        return [part for part in self._parts if part.file is not None]

    async def _pump(self, receive: Receive, parser: MultipartParser) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._parse(parser, message.get("body", b""))
            more = message.get("more_body", False)
            for part in self._parts:
                if part.wants_writing():
                    await asyncio.to_thread(part.write_out, self._open_file)
        if not self._parts or not all(part.ended for part in self._parts):
            raise Problem("invalid_multipart", 400, "The multipart body ends in the middle. Send all of it.")

    def _parse(self, parser: MultipartParser, chunk: bytes) -> None:
        self._seen_bytes += len(chunk)
        if self._seen_bytes > self._max_bytes:
            raise Problem("body_too_large", 413, f"The body may have at most {self._max_bytes} bytes.")
        try:
            parser.write(chunk)
        except FormParserError:
            raise Problem("invalid_multipart", 400, "The multipart body is malformed; see RFC 7578.") from None

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_part,
            "on_part_data": lambda data, start, end: self._take(memoryview(data)[start:end]),
            "on_part_end": lambda: self._parts[-1].end(),
        }

    def _begin(self) -> None:
        if len(self._parts) >= MAX_PARTS:
            raise Problem("invalid_multipart", 400, f"A form may have at most {MAX_PARTS} parts.")
        self._parts.append(Part())

    def _begin_part(self) -> None:
        part = self._parts[-1]
        part.begin()
        self._names.add(part.name)
        if len(self._names) > MAX_FIELDS:
            raise Problem("invalid_multipart", 400, f"A form may have at most {MAX_FIELDS} fields.")
        if part.is_file and any(earlier.is_file for earlier in self._parts[:-1]):
            raise _unexpected_file(part.name)

    def _take(self, data: memoryview) -> None:
        if not self._parts[-1].is_file:
            self._field_bytes += len(data)
            if self._field_bytes > MAX_FIELDS_BYTES:
                detail = f"The fields beside the file may have at most {MAX_FIELDS_BYTES} bytes together."
                raise Problem("body_too_large", 413, detail)
        self._parts[-1].take(data)

    def _end_header(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if len(self._parts[-1].headers) >= 8 or len(name) + len(value) > MAX_HEADER_BYTES:
            raise Problem("invalid_multipart", 400, "A part of the multipart body has too many headers.")
        self._parts[-1].headers[name.lower()] = value

    def _form(self) -> Form:
        form = Form(open_file=self._open_file)
        for part in self._parts:
            if not part.is_file:
                form.fields.setdefault(part.name.removesuffix("[]"), []).append(part.text())
            elif form.file is None and part.name == "file":
                form.file = part.described()
            else:
                raise _unexpected_file(part.name)
        return form


def _unexpected_file(name: str) -> Problem:
    error = FieldError(name, "unexpected_file", "Send one file, in the field `file`.")
    return Problem("invalid_request", 422, "The form has a file where none is expected.", [error])


@dataclass(slots=True)
class Part:
    """One part of the body while it arrives."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str = ""
    ended: bool = False
    is_file: bool = False
    file: tuple[str, FileWriter] | None = None  # of a file that does not fit into the buffer
    size_bytes: int = 0
    head: bytes = b""
    _buffer: bytearray = field(default_factory=bytearray)
    _hash: Any = field(default_factory=hashlib.sha256)
    _stored: bool = False

    def begin(self) -> None:
        """The headers are complete: a field, or a file when there is a file name."""
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            self.filename = options[b"filename"].decode("utf-8", "replace")
            self.is_file = True

    def take(self, data: memoryview) -> None:
        self._buffer += data
        self.size_bytes += len(data)
        if not self.is_file and self.size_bytes > MAX_FIELD_BYTES:
            error = FieldError(self.name, "too_long", f"At most {MAX_FIELD_BYTES} bytes.")
            raise Problem("invalid_request", 422, "A form field is too long.", [error])

    def end(self) -> None:
        self.ended = True

    def wants_writing(self) -> bool:
        """Whether a file's bytes should go to the store now; one that ends before it is so large stays in memory."""
        last = self.ended and self.file is not None and bool(self._buffer)
        return self.is_file and (last or len(self._buffer) >= WRITE_BYTES)

    def write_out(self, open_file: Callable[[], tuple[str, FileWriter]]) -> None:
        """Blocking: call it in a thread."""
        if self.file is None:
            self.file = open_file()
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(self._buffer[: HEAD_BYTES - len(self.head)])
        self._hash.update(self._buffer)
        self.file[1].write(bytes(self._buffer))
        self._buffer.clear()

    def commit(self) -> None:
        """Blocking: the file becomes visible, once the whole form was found good."""
        if self.file is not None:
            self.file[1].commit()
            self._stored = True

    def abort(self) -> None:
        if self.file is not None and not self._stored:
            self.file[1].abort()

    def text(self) -> str:
        """The field's value; raises a 422 `Problem` unless it is UTF-8."""
        try:
            return self._buffer.decode("utf-8")
        except UnicodeDecodeError:
            error = FieldError(self.name, "not_utf8", "Send form fields in UTF-8.")
            raise Problem("invalid_request", 422, "A form field is not UTF-8.", [error]) from None

    def described(self) -> FormFile:
        kind = self.headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
        content = bytes(self._buffer) if self.file is None else None
        self._hash.update(content or b"")
        return FormFile(
            object_key=self.file[0] if self.file else "", filename=self.filename, content_type=kind[:100],
            size_bytes=self.size_bytes, sha256=self._hash.hexdigest(),
            head=self.head if content is None else content[:HEAD_BYTES], content=content,
        )  # fmt: skip
