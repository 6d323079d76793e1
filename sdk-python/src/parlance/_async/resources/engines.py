"""`client.engines`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions
from parlance._generated.models import Engine, EngineListExtra


class AsyncEnginesResource:
    """`client.engines`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(self, *, options: RequestOptions | None = None) -> AsyncPager[Engine, EngineListExtra]:
        """List engines.

        The capability matrix: features, languages, limits, health, and models; `speaking` are those that
        speak.
        """
        call = Call("GET", "/v1/engines", options=options)
        return AsyncPager(self._transport, call, Engine, EngineListExtra)
