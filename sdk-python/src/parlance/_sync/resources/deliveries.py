"""`client.deliveries`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal

from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Delivery
from parlance._model import Model
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.transport import Transport


class DeliveriesResourceWithRawResponse:
    def __init__(self, resource: DeliveriesResource) -> None:
        self.list = raw_page(resource.list)
        self.get = raw(resource.get)
        self.resend = raw(resource.resend)


class DeliveriesResource:
    """`client.deliveries`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> DeliveriesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return DeliveriesResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        endpoint_id: str | None = None,
        event_id: str | None = None,
        state: Literal["pending", "sending", "delivered", "failed", "canceled"] | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[Delivery]:
        """List Deliveries.

        The delivery log, newest event first.
        """
        call = Call(
            "GET",
            "/v1/deliveries",
            query={"limit": limit, "cursor": cursor, "endpoint_id": endpoint_id, "event_id": event_id, "state": state},
            options=options,
        )
        return Pager(self._transport, call, Delivery, Model)

    def get(self, delivery_id: str, *, options: RequestOptions | None = None) -> Delivery:
        """Get Delivery.

        One delivery with all its attempts.
        """
        call = Call("GET", f"/v1/deliveries/{quoted(delivery_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Delivery)

    def resend(self, delivery_id: str, *, options: RequestOptions | None = None) -> Delivery:
        """Resend.

        One more attempt now, with the same `webhook-id`, signed with the secrets of today.
        """
        call = Call("POST", f"/v1/deliveries/{quoted(delivery_id)}/resend", options=options)
        response = self._transport.send(call)
        return parse(response, Delivery)
