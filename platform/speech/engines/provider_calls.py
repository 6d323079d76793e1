"""Calls to a provider: one guarded client for its origin, answers as a stream of samples, faults in our own words."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from egress.facade import deadline
from speech.engines.provider_http import CallFailed, OriginClient, Trouble, seconds, troubles
from speech.engines.speaking import Tick
from speech.synthesis.errors import SpeakFailed

if TYPE_CHECKING:
    import httpx

SILENCE_S: Final = 20.0  # between two pieces of an answer; voices begin to answer within seconds
CALL_S: Final = 120.0  # for all of one part, which is at most some minutes of speech
MAX_ERROR_BYTES: Final = 16_384


class ProviderClient(OriginClient):
    """Calls for voices: answers are streams of samples."""

    def post(self, url: str, *, headers: Mapping[str, str], content: bytes) -> httpx.Response:
        """The answer with its body unread; whoever gets it closes it. Raises `SpeakFailed`."""
        with faults(), deadline(seconds=SILENCE_S):
            return self.send("POST", url, headers=headers, content=content, silence_s=SILENCE_S)


def pieces(body: Iterator[bytes], *, on_tick: Tick | None) -> Iterator[bytes]:
    """The body in pieces as they come; raises `SpeakFailed` for one that breaks off or takes too long."""
    until = time.monotonic() + CALL_S
    while (piece := _next(body, until=until)) is not None:
        if on_tick is not None:
            on_tick()
        yield piece


def samples(body: Iterator[bytes], *, on_tick: Tick | None) -> Iterator[bytes]:
    """The body in pieces of whole 16-bit samples; raises `SpeakFailed` for one that ends early or is empty."""
    rest, total = b"", 0
    for piece in pieces(body, on_tick=on_tick):
        piece = rest + piece
        whole = len(piece) // 2 * 2
        rest, total = piece[whole:], total + whole
        if whole:
            yield piece[:whole]
    if rest or not total:
        raise cut_short()


def _next(body: Iterator[bytes], *, until: float) -> bytes | None:
    # Around each single wait: between two pieces the caller's own work must not run under our deadline.
    with faults(), deadline(seconds=max(0.0, until - time.monotonic())):
        return next(body, None)


def error_body(response: httpx.Response) -> bytes:
    """The beginning of an error's body, or what has come of it; the answer is closed."""
    body = b""
    # The status was heard: a body that breaks off must not hide it.
    with contextlib.closing(response), contextlib.suppress(SpeakFailed), faults(), deadline(seconds=SILENCE_S):
        for piece in response.iter_raw():
            body += piece
            if len(body) > MAX_ERROR_BYTES:
                break
    return body[:MAX_ERROR_BYTES]


def require_audio(content_type: str | None, *, provider: str) -> None:
    """A page of a proxy, or JSON with status 200, must not become somebody's speech."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not kind.startswith("audio/") and kind != "application/octet-stream":
        detail = f"{provider} answered with something that is not audio. The part is tried again."
        raise SpeakFailed(kind="transient", code="provider_answer_unusable", detail=detail)


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """What can break on the way, as `SpeakFailed`. `from None`: the cause may quote addresses, and reaches logs."""
    try:
        with troubles():
            yield
    except CallFailed as failed:
        raise _FAILURES[failed.trouble]() from None


def unreachable(*, worth_a_try: bool) -> SpeakFailed:
    """Nobody answered at the provider's address, or it is one that may not be called."""
    if worth_a_try:
        detail = "The provider could not be reached. The part is tried again."
        return SpeakFailed(kind="transient", code="provider_unreachable", detail=detail)
    detail = "The provider's address is not allowed. The operator must correct it; another voice works now."
    return SpeakFailed(kind="permanent", code="provider_unreachable", detail=detail)


def late() -> SpeakFailed:
    """The provider kept us waiting."""
    detail = "The provider did not answer in time. The part is tried again."
    return SpeakFailed(kind="transient", code="provider_timeout", detail=detail)


def cut_short() -> SpeakFailed:
    """The answer ended before its end."""
    detail = "The provider's answer ended too early. The part is tried again."
    return SpeakFailed(kind="transient", code="provider_connection_lost", detail=detail)


def busy(provider: str, *, retry_after: str | None = None) -> SpeakFailed:
    """The provider asks to come back later."""
    return SpeakFailed(
        kind="transient", code="provider_busy", detail=f"{provider} takes no more calls now. The part is tried again.",
        retry_after_s=seconds(retry_after),
    )  # fmt: skip


def broken(provider: str) -> SpeakFailed:
    """The provider itself failed."""
    return SpeakFailed(
        kind="transient", code="provider_error", detail=f"{provider} failed on its side. The part is tried again."
    )


def out_of_quota(provider: str) -> SpeakFailed:
    """The account has nothing left; waiting does not help."""
    detail = f"The account at {provider} has used up its quota. The operator must raise it; another voice works now."
    return SpeakFailed(kind="permanent", code="provider_quota", detail=detail)


def not_let_in(provider: str) -> SpeakFailed:
    """The credentials are wrong or may not speak."""
    detail = f"{provider} refused the configured credentials. The operator must renew them; another voice works now."
    return SpeakFailed(kind="permanent", code="provider_credentials_refused", detail=detail)


def refused(provider: str, *, code: str = "provider_refused", why: str = "refused the request") -> SpeakFailed:
    """This request will never work there."""
    return SpeakFailed(
        kind="permanent", code=code, detail=f"{provider} {why}. Change the text or choose another voice."
    )


_FAILURES: Final[dict[Trouble, Callable[[], SpeakFailed]]] = {
    "unreachable": lambda: unreachable(worth_a_try=True),
    "address_refused": lambda: unreachable(worth_a_try=False),
    "late": late,
    "cut_short": cut_short,
}
