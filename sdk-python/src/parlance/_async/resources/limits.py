"""`client.limits`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.raw import a_raw
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import Limits


class AsyncLimitsResourceWithRawResponse:
    def __init__(self, resource: AsyncLimitsResource) -> None:
        self.get = a_raw(resource.get)


class AsyncLimitsResource:
    """`client.limits`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncLimitsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncLimitsResourceWithRawResponse(self)

    async def get(self, *, options: RequestOptions | None = None) -> Limits:
        """Get Limits.

        The wallet and the budgets that this key's jobs must fit into (null without a wallet: paid by
        statement), and the rates that its requests must fit into. The request itself counts as one.
        """
        call = Call("GET", "/v1/limits", options=options)
        response = await self._transport.send(call)
        return parse(response, Limits)
