"""`client.events`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Event, EventListExtra


class AsyncEventsResourceWithRawResponse:
    def __init__(self, resource: AsyncEventsResource) -> None:
        self.list = a_raw_page(resource.list)
        self.get = a_raw(resource.get)


class AsyncEventsResource:
    """`client.events`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncEventsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncEventsResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        after: int | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[Event, EventListExtra]:
        """List Events.

        Events, newest first. Poll with `after`: events above that position, oldest first, none ever skipped.
        """
        call = Call("GET", "/v1/events", query={"limit": limit, "cursor": cursor, "after": after}, options=options)
        return AsyncPager(self._transport, call, Event, EventListExtra)

    async def get(self, event_id: str, *, options: RequestOptions | None = None) -> Event:
        """Get Event.

        One event.
        """
        call = Call("GET", f"/v1/events/{quoted(event_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, Event)
