"""`client.limits`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import Limits
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class LimitsResourceWithRawResponse:
    def __init__(self, resource: LimitsResource) -> None:
        self.get = raw(resource.get)


class LimitsResource:
    """`client.limits`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> LimitsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return LimitsResourceWithRawResponse(self)

    def get(self, *, options: RequestOptions | None = None) -> Limits:
        """Get Limits.

        The wallet and the budgets that this key's jobs must fit into (null without a wallet: paid by
        statement), and the rates that its requests must fit into. The request itself counts as one.
        """
        call = Call("GET", "/v1/limits", options=options)
        response = self._transport.send(call)
        return parse(response, Limits)
