"""`client.events`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Event, EventListExtra
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.transport import Transport


class EventsResourceWithRawResponse:
    def __init__(self, resource: EventsResource) -> None:
        self.list = raw_page(resource.list)
        self.get = raw(resource.get)


class EventsResource:
    """`client.events`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> EventsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return EventsResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        after: int | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[Event, EventListExtra]:
        """List Events.

        Events, newest first. Poll with `after`: events above that position, oldest first, none ever skipped.
        """
        call = Call("GET", "/v1/events", query={"limit": limit, "cursor": cursor, "after": after}, options=options)
        return Pager(self._transport, call, Event, EventListExtra)

    def get(self, event_id: str, *, options: RequestOptions | None = None) -> Event:
        """Get Event.

        One event.
        """
        call = Call("GET", f"/v1/events/{quoted(event_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Event)
