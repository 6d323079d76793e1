"""`client.engines`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions
from parlance._generated.models import Engine, EngineListExtra
from parlance._sync.pages import Pager
from parlance._sync.raw import raw_page
from parlance._sync.transport import Transport


class EnginesResourceWithRawResponse:
    def __init__(self, resource: EnginesResource) -> None:
        self.list = raw_page(resource.list)


class EnginesResource:
    """`client.engines`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> EnginesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return EnginesResourceWithRawResponse(self)

    def list(self, *, options: RequestOptions | None = None) -> Pager[Engine, EngineListExtra]:
        """List engines.

        The capability matrix: features, languages, limits, health, and models; `speaking` are those that
        speak.
        """
        call = Call("GET", "/v1/engines", options=options)
        return Pager(self._transport, call, Engine, EngineListExtra)
