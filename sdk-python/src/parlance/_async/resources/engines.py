"""`client.engines`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions
from parlance._generated.models import Engine, EngineListExtra


class AsyncEnginesResourceWithRawResponse:
    def __init__(self, resource: AsyncEnginesResource) -> None:
        self.list = a_raw_page(resource.list)


class AsyncEnginesResource:
    """`client.engines`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncEnginesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncEnginesResourceWithRawResponse(self)

    def list(self, *, options: RequestOptions | None = None) -> AsyncPager[Engine, EngineListExtra]:
        """List engines.

        The capability matrix: features, languages, limits, health, and models; `speaking` are those that
        speak.
        """
        call = Call("GET", "/v1/engines", options=options)
        return AsyncPager(self._transport, call, Engine, EngineListExtra)
