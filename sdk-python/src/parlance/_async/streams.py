"""Answers that are read while they come: server-sent events, which go on where they were cut, and bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, TypeVar

import httpx
from typing_extensions import Self

from parlance._async.transport import AsyncTransport
from parlance._call import Call, parse_json
from parlance._concurrency import a_blocking
from parlance._errors import ConnectionFailed
from parlance._files import written
from parlance._model import Model
from parlance._retry import delay_s
from parlance._sse import LineSplitter, ServerEvent, SSEParser, as_any

DataT = TypeVar("DataT")
END_ID = "end"  # what the last event of every stream is called
CHUNK_BYTES = 65_536


class AsyncEventStream(Generic[DataT]):
    """Events while they happen. A cut stream is opened again behind the last event: none is missed or told twice.

    Iterate over it; leaving the loop early closes the connection at the latest with the client, at once with `with`.
    """

    def __init__(self, transport: AsyncTransport, call: Call, kinds: Mapping[str, type[Model]]) -> None:
        self._transport = transport
        self._call = call
        self._kinds = kinds
        self._response: httpx.Response | None = None
        self.last_event_id = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End it; nothing more is sent."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None

    async def __aiter__(self) -> AsyncIterator[ServerEvent[DataT]]:
        failures = 0
        while True:
            before = self.last_event_id
            async with aclosing(self._connection()) as events:
                async for event in events:
                    yield self._typed(event)
            if self.last_event_id == END_ID or self._response is None:
                return
            failures = 0 if self.last_event_id != before else failures + 1
            if failures > self._transport.settings.max_retries:
                raise ConnectionFailed("The stream was cut again and again. Poll the job instead.")
            await self._transport.closing.pause(delay_s(failures, retry_after=None) or 0)

    async def _connection(self) -> AsyncGenerator[ServerEvent[str], None]:
        """The events of one connection. 204 means that there are no more: the response is None then."""
        headers = {**self._call.headers, "Accept": "text/event-stream", "Last-Event-ID": self.last_event_id or None}
        response = await self._transport.send(replace(self._call, headers=headers), stream=True)
        self._response = None if response.status_code == 204 else response
        splitter, parser = LineSplitter(), SSEParser()
        parser.last_id = self.last_event_id
        try:
            async for chunk in response.aiter_bytes():
                for line in splitter.feed(chunk):
                    event = parser.feed(line)
                    if event is not None:
                        self.last_event_id = event.id
                        yield event
        except (httpx.TransportError, httpx.StreamClosed):
            return  # cut: the caller comes back
        finally:
            await response.aclose()

    def _typed(self, event: ServerEvent[str]) -> ServerEvent[DataT]:
        kind = self._kinds.get(event.name, Model)
        return ServerEvent(event.name, event.id, as_any(parse_json(event.data, kind)))


class AsyncByteStream:
    """A file that is sent on request: iterate over its bytes, `read()` them all, or `save()` them."""

    def __init__(self, transport: AsyncTransport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self._response: httpx.Response | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop receiving."""
        if self._response is not None:
            await self._response.aclose()

    async def open(self) -> httpx.Response:
        """Send the request, unless it is sent; the answer's headers are there then, its body is on its way."""
        if self._response is None:
            self._response = await self._transport.send(self._call, stream=True)
        return self._response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response = await self.open()
        try:
            async for chunk in response.aiter_bytes(CHUNK_BYTES):
                yield chunk
            self._transport.closing.check()  # a body without a length ends so too
        except httpx.TransportError as error:
            raise self._transport.cut(error) from error
        finally:
            await response.aclose()

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self])

    async def save(self, target: str | Path | BinaryIO) -> int:
        """Write it to a path, whose file appears when it is whole, or to an open file; how many bytes."""
        size = 0
        with written(target) as file:
            async for chunk in self:
                size += len(chunk)
                await a_blocking(file.write, chunk)
        return size
