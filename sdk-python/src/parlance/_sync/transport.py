"""Sends calls: connection, retries, errors, logging."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from parlance._call import Call
from parlance._captured import captured
from parlance._closing import Closing
from parlance._errors import ConnectionFailed, ParlanceError, RequestTimedOut, UnexpectedAnswer, api_error
from parlance._generated.models import SignedRequest
from parlance._logging import log, quiet
from parlance._pools import pools
from parlance._retry import delay_s, may_repeat, pause_of, wants_repeat
from parlance._settings import DEFAULT_LIMITS, Settings, check_parts, proxy_explained


class Transport:
    """One pool of connections. `patience` of a call is how often it may be tried again."""

    def __init__(
        self,
        settings: Settings,
        *,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        proxy: str | None = None,
    ) -> None:
        check_parts(http_client=http_client, transport=transport, proxy=proxy)
        self.settings = settings
        self._owns_client = http_client is None
        self.http = http_client or _http(settings, transport, proxy)
        self._headers = settings.headers()
        self.closing = Closing()

    def close(self) -> None:
        """Calls of other threads or tasks end with `ClientClosed`."""
        self.closing.close(disconnect=self._owns_client)
        if self._owns_client:
            self.http.close()

    def send(self, call: Call, *, patience: int | None = None, stream: bool = False) -> httpx.Response:
        """The answer, read unless `stream`; raises what `_errors` lists. Every attempt carries the same headers."""
        retries = (call.options or {}).get("max_retries", self.settings.max_retries if patience is None else patience)
        request, attempt = self._request(call), 0
        while True:
            answer = self._attempt(call, request, stream=stream, attempt=attempt)
            if isinstance(answer, httpx.Response) and answer.has_redirect_location:
                raise UnexpectedAnswer("The server sends to another address. Is base_url right, and https?")
            if isinstance(answer, httpx.Response) and not answer.is_error:
                if (kept := captured.get()) is not None:
                    kept.append(answer)
                return answer
            pause = self._pause(call, answer, attempt=attempt, left=retries - attempt)
            if pause is None:
                raise self._error(answer)
            self.closing.pause(pause)
            attempt += 1

    def put(self, signed: SignedRequest, *, size_bytes: int, content: Iterator[bytes]) -> httpx.Response:
        """Send bytes to a signed URL, once and without the key; raises `httpx.TransportError`."""
        self.closing.check()
        headers = {**signed.headers, "Content-Length": str(size_bytes)}
        with quiet():
            return self.http.request(
                signed.method, signed.url, headers=headers, content=content, timeout=self.settings.timeout,
                extensions=dict(self.closing.extensions),
            )  # fmt: skip

    def _request(self, call: Call) -> httpx.Request:
        timeout = (call.options or {}).get("timeout", self.settings.timeout)
        shown = timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout)
        if call.wait_s:  # the server is silent so long on purpose
            shown = httpx.Timeout(
                connect=shown.connect, read=(shown.read or 0) + call.wait_s if shown.read is not None else None,
                write=shown.write, pool=shown.pool,
            )  # fmt: skip
        return self.http.build_request(
            call.method, self.settings.base_url + call.path, params=call.parameters() or None, content=call.content(),
            headers=self._headers | call.extra_headers(), timeout=shown, extensions=dict(self.closing.extensions),
        )  # fmt: skip

    def _attempt(
        self, call: Call, request: httpx.Request, *, stream: bool, attempt: int
    ) -> httpx.Response | httpx.TransportError:
        self.closing.check()
        started = time.monotonic()
        try:
            # A large file is answered by a redirect to its signed URL; httpx takes the key off for another origin.
            redirected = stream and call.method == "GET"
            with quiet():
                response = self.http.send(request, stream=True, follow_redirects=redirected)
            if response.is_error or not stream:
                response.read()
        except httpx.TransportError as error:
            _log(call, type(error).__name__, started, attempt)
            self.closing.check()
            return error
        _log(call, response.status_code, started, attempt, request_id=response.headers.get("request-id"))
        return response

    def _pause(
        self, call: Call, answer: httpx.Response | httpx.TransportError, *, attempt: int, left: int
    ) -> float | None:
        """Seconds to wait before the next attempt; None when there is none."""
        if left <= 0:
            return None
        if isinstance(answer, httpx.TransportError):
            return delay_s(attempt, retry_after=None) if may_repeat(call, answer) else None
        return delay_s(attempt, retry_after=pause_of(answer)) if wants_repeat(call, answer) else None

    def _error(self, answer: httpx.Response | httpx.TransportError) -> ParlanceError:
        if isinstance(answer, httpx.Response):
            return api_error(answer.status_code, answer.content, answer.headers)
        return connection_error(answer)

    def cut(self, error: httpx.TransportError) -> ParlanceError:
        """Why a body did not come to its end; raises `ClientClosed` where that is why."""
        self.closing.check()
        return connection_error(error)


def _http(settings: Settings, transport: httpx.BaseTransport | None, proxy: str | None) -> httpx.Client:
    own = transport or (pools(DEFAULT_LIMITS) if proxy is None else None)
    with proxy_explained():
        return httpx.Client(transport=own, proxy=proxy, limits=DEFAULT_LIMITS, timeout=settings.timeout)


def connection_error(error: httpx.TransportError) -> ParlanceError:
    """What httpx says in our words, without the URL: it may be signed."""
    kind = type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        failed: ParlanceError = RequestTimedOut(f"No answer came in time ({kind}). Raise `timeout`, or try again.")
    elif isinstance(error, httpx.DecodingError | httpx.UnsupportedProtocol):
        failed = UnexpectedAnswer(f"The connection speaks another protocol ({kind}).")
    else:
        failed = ConnectionFailed(f"The server cannot be reached ({kind}: {error}). Is base_url right?")
    failed.__cause__ = error
    return failed


def _log(call: Call, outcome: Any, started: float, attempt: int, *, request_id: str | None = None) -> None:
    took_ms = round((time.monotonic() - started) * 1000)
    log.debug(
        "%s %s → %s in %d ms, attempt %d, request %s", call.method, call.path, outcome, took_ms, attempt + 1, request_id
    )
