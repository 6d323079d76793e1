"""`client.spend`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.raw import a_raw
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import Spend


class AsyncSpendResourceWithRawResponse:
    def __init__(self, resource: AsyncSpendResource) -> None:
        self.get = a_raw(resource.get)


class AsyncSpendResource:
    """`client.spend`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncSpendResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncSpendResourceWithRawResponse(self)

    async def get(self, *, options: RequestOptions | None = None) -> Spend:
        """Get Spend.

        What this month costs so far by the statement's own rules, and a forecast at the month's own rate.
        """
        call = Call("GET", "/v1/spend", options=options)
        response = await self._transport.send(call)
        return parse(response, Spend)
