"""`client.prices`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions
from parlance._generated.models import Price, PricesExtra


class AsyncPricesResourceWithRawResponse:
    def __init__(self, resource: AsyncPricesResource) -> None:
        self.list = a_raw_page(resource.list)


class AsyncPricesResource:
    """`client.prices`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncPricesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncPricesResourceWithRawResponse(self)

    def list(self, *, options: RequestOptions | None = None) -> AsyncPager[Price, PricesExtra]:
        """List Prices.

        The caller's own prices, in its currency, for jobs accepted now.
        """
        call = Call("GET", "/v1/prices", options=options)
        return AsyncPager(self._transport, call, Price, PricesExtra)
