"""No test here needs a server: they speak to transports that stand for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from parlance import Parlance
from parlance._closing import AsyncClosing, Closing

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Retries do not wait; what they would have waited is kept."""
    waited: list[float] = []

    def pause(closing: Closing, seconds: float) -> None:
        waited.append(seconds)
        closing.check()

    async def a_pause(closing: AsyncClosing, seconds: float) -> None:
        pause(closing, seconds)  # type: ignore[arg-type]  # `check` is all it needs

    monkeypatch.setattr(Closing, "pause", pause)
    monkeypatch.setattr(AsyncClosing, "pause", a_pause)
    return waited


@pytest.fixture
def waited(_no_pauses: list[float]) -> list[float]:
    return _no_pauses


@pytest.fixture
def client_of() -> Iterator[Callable[..., Parlance]]:
    """Makes clients whose requests go to a handler."""
    made: list[Parlance] = []

    def make(handler: Handler, **options: int) -> Parlance:
        client = Parlance(
            api_key="parl_test_key", base_url="https://speech.test", transport=httpx.MockTransport(handler), **options
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
