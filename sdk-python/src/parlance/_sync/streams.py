"""Answers that are read while they come: server-sent events, which go on where they were cut, and bytes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, TypeVar

import httpx
from typing_extensions import Self

from parlance._call import Call, parse_json
from parlance._concurrency import blocking
from parlance._errors import ConnectionFailed
from parlance._files import written
from parlance._model import Model
from parlance._retry import delay_s
from parlance._sse import LineSplitter, ServerEvent, SSEParser, as_any
from parlance._sync.transport import Transport

DataT = TypeVar("DataT")
END_ID = "end"  # what the last event of every stream is called
CHUNK_BYTES = 65_536


class EventStream(Generic[DataT]):
    """Events while they happen. A cut stream is opened again behind the last event: none is missed or told twice.

    Iterate over it; leaving the loop early closes the connection at the latest with the client, at once with `with`.
    """

    def __init__(self, transport: Transport, call: Call, kinds: Mapping[str, type[Model]]) -> None:
        self._transport = transport
        self._call = call
        self._kinds = kinds
        self._response: httpx.Response | None = None
        self.last_event_id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; nothing more is sent."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def __iter__(self) -> Iterator[ServerEvent[DataT]]:
        failures = 0
        while True:
            before = self.last_event_id
            with closing(self._connection()) as events:
                for event in events:
                    yield self._typed(event)
            if self.last_event_id == END_ID or self._response is None:
                return
            failures = 0 if self.last_event_id != before else failures + 1
            if failures > self._transport.settings.max_retries:
                raise ConnectionFailed("The stream was cut again and again. Poll the job instead.")
            self._transport.closing.pause(delay_s(failures, retry_after=None) or 0)

    def _connection(self) -> Generator[ServerEvent[str], None, None]:
        """The events of one connection. 204 means that there are no more: the response is None then."""
        headers = {**self._call.headers, "Accept": "text/event-stream", "Last-Event-ID": self.last_event_id or None}
        response = self._transport.send(replace(self._call, headers=headers), stream=True)
        self._response = None if response.status_code == 204 else response
        splitter, parser = LineSplitter(), SSEParser()
        parser.last_id = self.last_event_id
        try:
            for chunk in response.iter_bytes():
                for line in splitter.feed(chunk):
                    event = parser.feed(line)
                    if event is not None:
                        self.last_event_id = event.id
                        yield event
        except (httpx.TransportError, httpx.StreamClosed):
            return  # cut: the caller comes back
        finally:
            response.close()

    def _typed(self, event: ServerEvent[str]) -> ServerEvent[DataT]:
        kind = self._kinds.get(event.name, Model)
        return ServerEvent(event.name, event.id, as_any(parse_json(event.data, kind)))


class ByteStream:
    """A file that is sent on request: iterate over its bytes, `read()` them all, or `save()` them."""

    def __init__(self, transport: Transport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self._response: httpx.Response | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop receiving."""
        if self._response is not None:
            self._response.close()

    def open(self) -> httpx.Response:
        """Send the request, unless it is sent; the answer's headers are there then, its body is on its way."""
        if self._response is None:
            self._response = self._transport.send(self._call, stream=True)
        return self._response

    def __iter__(self) -> Iterator[bytes]:
        response = self.open()
        try:
            for chunk in response.iter_bytes(CHUNK_BYTES):
                yield chunk
            self._transport.closing.check()  # a body without a length ends so too
        except httpx.TransportError as error:
            raise self._transport.cut(error) from error
        finally:
            response.close()

    def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk for chunk in self])

    def save(self, target: str | Path | BinaryIO) -> int:
        """Write it to a path, whose file appears when it is whole, or to an open file; how many bytes."""
        size = 0
        with written(target) as file:
            for chunk in self:
                size += len(chunk)
                blocking(file.write, chunk)
        return size
