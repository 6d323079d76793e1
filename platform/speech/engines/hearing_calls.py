"""Calls to a provider that hears: a whole answer within bounds, and every fault as an `EngineError`.

No text of an error quotes the provider: its words may hold paths, keys or what was said.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from egress.facade import deadline, scaled_deadline_s, ticking
from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import ReportedUnits, Tick
from speech.engines.provider_http import CallFailed, OriginClient, Trouble, seconds, troubles

if TYPE_CHECKING:
    import httpx

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024  # ten hours of words, told twice, are half of it
QUICK_S: Final = 20.0  # for a call that carries no audio and waits for none
LEAST_S: Final = 60.0
MOST_S: Final = 1800.0
PER_AUDIO_S: Final = 0.5  # providers hear at least twice as fast as it is spoken

Units = Sequence[ReportedUnits]

# A kind of failure, its code, and what to tell people of it.
_KINDS: Final[dict[ErrorKind, tuple[str, str]]] = {
    "auth": ("provider_credentials_refused", "refused the credentials. Renew them; another engine works now."),
    "quota": ("provider_quota", "has nothing left on the account. Top it up; another engine works now."),
    "rate_limited": ("provider_busy", "takes no more calls now. The part is tried again."),
    "transient": ("provider_error", "failed on its side. The part is tried again."),
    "timeout": ("provider_timeout", "did not answer in time. The part is tried again."),
    "invalid_input": ("provider_refused", "refused the request. Change the options or choose another engine."),
    "unsupported": ("provider_lacks_option", "lacks the language, model or option. Choose another engine."),
    "too_large": ("provider_audio_too_long", "takes no audio of this length at once. Choose another engine."),
    "bad_audio": ("provider_audio_unusable", "cannot use the audio. Choose another engine."),
    "permanent": ("provider_refused", "cannot do this. Choose another engine."),
}
_TROUBLES: Final[dict[Trouble, tuple[ErrorKind, str, str]]] = {
    "unreachable": ("transient", "provider_unreachable", "could not be reached. The part is tried again."),
    "address_refused": ("permanent", "provider_unreachable", "has an address that may not be called. Correct it."),
    "late": ("timeout", "provider_timeout", "did not answer in time. The part is tried again."),
    "cut_short": ("transient", "provider_connection_lost", "ended its answer too early. The part is tried again."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def retry_after_s(self) -> float | None:
        return seconds(self.headers.get("retry-after"))

    def told(self) -> Any:
        """The body's JSON, None for anything else: for error answers, which may be a proxy's page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class HearingClient(OriginClient):
    """Calls to one provider's origin."""

    def __init__(self, base_url: str, *, provider: str) -> None:
        super().__init__(base_url)
        self._prefix, self._provider = base_url.rstrip("/"), provider

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        wait_s: float | None = None,
        on_tick: Tick | None = None,
        units: Units = (),
        **body: Any,
    ) -> Answer:
        """The answer, whatever its status; raises EngineError when there is none in time or it is too large.

        `units`: what the call costs once the provider has begun to answer it well, whatever comes then.
        """
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise failure(self._provider, "auth")  # a key that no header can hold is none
        with self._faults(), deadline(seconds=wait_s or QUICK_S), ticking(on_tick), troubles():
            response = self.send(method, self._prefix + path, headers=headers, silence_s=None, **body)
            due = units if response.status_code == 200 else ()
            with contextlib.closing(response), self._faults(due), troubles():
                return Answer(response.status_code, _plain(response.headers), self._body(response, units=due))

    def _body(self, response: httpx.Response, *, units: Units) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise unusable(self._provider, units=units)
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise unusable(self._provider, units=units)
        return bytes(body)

    @contextlib.contextmanager
    def _faults(self, units: Units = ()) -> Iterator[None]:
        try:
            yield
        except CallFailed as failed:
            kind, code, detail = _TROUBLES[failed.trouble]
            raise EngineError(kind=kind, code=code, detail=f"{self._provider} {detail}", units=units) from None


def wait_for(pcm: PcmRange) -> float:
    """How long a call may take that sends this audio and waits for its text."""
    return scaled_deadline_s(pcm.duration_ms, per_audio_s=PER_AUDIO_S, least_s=LEAST_S, most_s=MOST_S)


def length_of(pcm: PcmRange) -> Units:
    """What a provider counts that tells nothing of it: the audio that was sent."""
    return (ReportedUnits("audio_ms", pcm.duration_ms),)


def failure(
    provider: str,
    kind: ErrorKind,
    *,
    code: str = "",
    detail: str = "",
    retry_after_s: float | None = None,
    units: Units = (),
) -> EngineError:
    """An error answer as ours; `code` and `detail` where more is known than the kind."""
    usual_code, usual_detail = _KINDS[kind]
    return EngineError(
        kind=kind, code=code or usual_code, detail=f"{provider} {detail or usual_detail}", retry_after_s=retry_after_s,
        units=units,
    )  # fmt: skip


def unusable(provider: str, *, units: Units = ()) -> EngineError:
    """The provider answered something that is no transcript, and charges for it all the same."""
    detail = "answered something that cannot be used. The part is tried again."
    return failure(provider, "transient", code="provider_answer_unusable", detail=detail, units=units)


def kind_of_status(status: int) -> ErrorKind:
    """What a status means where the provider gave no code that is known.

    >>> [kind_of_status(status) for status in (401, 402, 408, 413, 429, 400, 503, 302)]
    ['auth', 'quota', 'transient', 'too_large', 'rate_limited', 'invalid_input', 'transient', 'transient']
    """
    named: dict[int, ErrorKind] = {
        401: "auth", 402: "quota", 403: "auth", 404: "unsupported", 408: "transient", 409: "transient",
        413: "too_large", 425: "transient", 429: "rate_limited", 504: "timeout",
    }  # fmt: skip
    return named.get(status, "invalid_input" if 400 <= status < 500 else "transient")


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
