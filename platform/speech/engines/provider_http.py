"""HTTP to one provider: a guarded client for its origin, and what can break on the way in one word."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from egress.facade import DeadlineExceeded, EgressError, operator

if TYPE_CHECKING:
    import httpx

CONNECT_S: Final = 5.0
MAX_RETRY_AFTER_S: Final = 120.0
Trouble = Literal["unreachable", "address_refused", "late", "cut_short"]


class CallFailed(Exception):
    """No answer, or no whole one; `trouble` tells why. It quotes nothing: its text may reach a log."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class OriginClient:
    """HTTP to the one origin of `base_url`; share it between threads. Nothing is loaded before the first call."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], silence_s: float | None, **body: Any
    ) -> httpx.Response:
        """The answer with its body unread; `body` is httpx's own `content`, `data` or `files`.

        Call it within `troubles`, else httpx's and egress's errors come out.
        """
        import httpx

        waits = {"connect": CONNECT_S, "read": silence_s, "write": silence_s, "pool": CONNECT_S}
        sent = {"User-Agent": "Parlance", "Accept-Encoding": "identity", **headers}
        request = httpx.Request(method, url, headers=sent, extensions={"timeout": waits}, **body)
        return self._client.send(request, stream=True)

    def close(self) -> None:
        """Close connections that are kept for the next call."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        from egress.facade import transport

        parts = urlsplit(self._base_url)
        policy = operator({f"{parts.scheme}://{parts.netloc}"})
        return httpx.Client(transport=transport(policy), trust_env=False)


@contextlib.contextmanager
def troubles() -> Iterator[None]:
    """What can break on the way, as `CallFailed`. `from None`: the cause may quote addresses, and reaches logs."""
    import httpx

    try:
        yield
    except DeadlineExceeded:
        raise CallFailed("late") from None
    except EgressError as error:
        raise CallFailed("unreachable" if error.retryable else "address_refused") from None
    except httpx.ConnectError:
        raise CallFailed("unreachable") from None
    except httpx.TimeoutException:
        raise CallFailed("late") from None
    except httpx.TransportError:
        raise CallFailed("cut_short") from None


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After in seconds, within reason; None for none and for a date.

    >>> seconds("3"), seconds("999"), seconds("Mon, 23 Nov 2026 04:00:00 GMT"), seconds(None)
    (3.0, 120.0, None, None)
    """
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after), MAX_RETRY_AFTER_S)
