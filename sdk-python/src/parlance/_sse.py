"""Server-sent events: a parser that takes lines (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

DataT = TypeVar("DataT")


@dataclass(frozen=True)
class ServerEvent(Generic[DataT]):
    """One event: its name, its id (for coming back behind it) and its data."""

    name: str
    id: str
    data: DataT


class SSEParser:
    """Feed it lines without their ends; it gives an event at each empty line that has data before it.

    >>> parser = SSEParser()
    >>> [parser.feed(line) for line in ("event: segment", "id: 3", ": keep-alive", 'data: {}', "")][-1]
    ServerEvent(name='segment', id='3', data='{}')
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_ms: int | None = None
        self._name = ""
        self._data: list[str] = []

    def feed(self, line: str) -> ServerEvent[str] | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self.last_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> ServerEvent[str] | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return ServerEvent(name, self.last_id, "\n".join(data)) if data else None


class LineSplitter:
    """Bytes to lines. Only CR, LF and CRLF end a line here: JSON may hold U+2028, at which `splitlines` would cut.

    >>> splitter = LineSplitter()
    >>> splitter.feed(b"a\\r"), splitter.feed(b"\\nb\\n")
    (['a'], ['b'])
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        self._after_cr = chunk[-1:] == b"\r" if chunk else self._after_cr
        *lines, rest = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if lines:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        return [line.decode("utf-8", "replace") for line in lines]


def as_any(value: Any) -> Any:
    """A value whose type is decided by a table at run time."""
    return value
