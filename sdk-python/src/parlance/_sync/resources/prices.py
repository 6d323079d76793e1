"""`client.prices`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions
from parlance._generated.models import Price, PricesExtra
from parlance._sync.pages import Pager
from parlance._sync.raw import raw_page
from parlance._sync.transport import Transport


class PricesResourceWithRawResponse:
    def __init__(self, resource: PricesResource) -> None:
        self.list = raw_page(resource.list)


class PricesResource:
    """`client.prices`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> PricesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return PricesResourceWithRawResponse(self)

    def list(self, *, options: RequestOptions | None = None) -> Pager[Price, PricesExtra]:
        """List Prices.

        The caller's own prices, in its currency, for jobs accepted now.
        """
        call = Call("GET", "/v1/prices", options=options)
        return Pager(self._transport, call, Price, PricesExtra)
