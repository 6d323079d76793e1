"""`client.spend`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import Spend
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class SpendResourceWithRawResponse:
    def __init__(self, resource: SpendResource) -> None:
        self.get = raw(resource.get)


class SpendResource:
    """`client.spend`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> SpendResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return SpendResourceWithRawResponse(self)

    def get(self, *, options: RequestOptions | None = None) -> Spend:
        """Get Spend.

        What this month costs so far by the statement's own rules, and a forecast at the month's own rate.
        """
        call = Call("GET", "/v1/spend", options=options)
        response = self._transport.send(call)
        return parse(response, Spend)
