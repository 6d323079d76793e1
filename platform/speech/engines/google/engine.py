"""`recognize` only: longer audio would have to lie in Google's own storage, so it is cut into minutes instead."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from speech.audio.pcm import PcmRange
from speech.engines import foreign, hearing_calls
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.google import answers, configs
from speech.engines.google.token import PROVIDER, Account, Tokens
from speech.engines.hearing_calls import Answer, HearingClient
from speech.engines.ports import Callback, Capabilities, EngineRequest, Heard, Pending, Tick
from speech.engines.providers import GoogleSettings
from speech.engines.sending import audio_file

MAX_PART_MS: Final = 58_000  # of a minute, which Google counts after its own decoding
MAX_PART_BYTES: Final = 7_000_000  # of 10 MB for the whole request, in which audio grows by a third

# google.rpc.Code by name.
_CODES: Final[dict[str, ErrorKind]] = {
    "UNAUTHENTICATED": "auth",
    "PERMISSION_DENIED": "auth",
    "RESOURCE_EXHAUSTED": "rate_limited",
    "INVALID_ARGUMENT": "invalid_input",
    "FAILED_PRECONDITION": "invalid_input",
    "OUT_OF_RANGE": "too_large",
    "UNIMPLEMENTED": "unsupported",
    "NOT_FOUND": "unsupported",
    "DEADLINE_EXCEEDED": "timeout",
    "UNAVAILABLE": "transient",
    "INTERNAL": "transient",
    "UNKNOWN": "transient",
    "ABORTED": "transient",
    "CANCELLED": "transient",
}


class Google:
    """One project in one location."""

    def __init__(self, settings: GoogleSettings) -> None:
        self._settings = settings
        self._http = HearingClient(settings.url, provider=PROVIDER)
        self.capabilities = Capabilities(
            name="google", languages=configs.LANGUAGES, features=configs.FEATURES, max_part_ms=MAX_PART_MS,
            max_part_bytes=MAX_PART_BYTES, quality="production", rtfx=10.0, models=configs.MODELS,
            executor=f"cloud:google:{settings.location}",
        )  # fmt: skip

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """The text, at once."""
        with audio_file(pcm, on_tick=on_tick) as audio:
            content = base64.b64encode(audio.file.read()).decode()
        body = json.dumps({"config": configs.config_of(request), "content": content}).encode()
        answer = self._call(
            "POST",
            "recognizers/_:recognize",
            content=body,
            wait_s=hearing_calls.wait_for(pcm),
            on_tick=on_tick,
            units=hearing_calls.length_of(pcm),
        )
        with foreign.reading(PROVIDER, units=hearing_calls.length_of(pcm)):
            told = foreign.parse(answer.body)
            if "error" not in told:
                return answers.heard(told, raw=answer.body, request=request, duration_ms=pcm.duration_ms)
        raise classify(answer)

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        """Never: everything is answered at once."""
        raise hearing_calls.failure(PROVIDER, "permanent")

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        """Never: Google brings nothing."""
        raise CallbackRefused

    def check_credentials(self) -> None:
        """Gets a token and lists one recognizer."""
        with foreign.reading(PROVIDER):
            foreign.parse(self._call("GET", "recognizers?pageSize=1").body)

    def close(self) -> None:
        self._http.close()
        if "_tokens" in self.__dict__:
            self._tokens.close()

    def _call(self, method: str, resource: str, **call: Any) -> Answer:
        token = self._tokens.current()
        place = f"/v2/projects/{self._account.project}/locations/{self._settings.location}/{resource}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = self._http.call(method, place, headers=headers, **call)
        if answer.status == 401:
            self._tokens.forget(token)
        if answer.status != 200:
            raise classify(answer)
        return answer

    @cached_property
    def _account(self) -> Account:
        return Account.read(self._settings.account)

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self._account, url=self._settings.token_url)


def classify(answer: Answer) -> EngineError:
    """An error answer as ours, by the name of its code."""
    told = answer.told()
    error = told.get("error") if isinstance(told, dict) else None
    fields = error if isinstance(error, dict) else {}
    sentence = str(fields.get("message", "")).lower()
    kind = _CODES.get(str(fields.get("status"))) or hearing_calls.kind_of_status(
        answer.status if answer.status != 200 else 500
    )
    return hearing_calls.failure(PROVIDER, _closer(kind, sentence), retry_after_s=answer.retry_after_s)


def _closer(kind: ErrorKind, sentence: str) -> ErrorKind:
    """What INVALID_ARGUMENT and PERMISSION_DENIED leave open is in their sentences only.

    >>> _closer("auth", "this api method requires billing to be enabled"), _closer("invalid_input", "audio too long")
    ('quota', 'too_large')
    """
    if kind == "auth" and "billing" in sentence:
        return "quota"
    if kind == "invalid_input" and ("too long" in sentence or "exceeds the limit" in sentence):
        return "too_large"
    if kind == "invalid_input" and ("language" in sentence or "model" in sentence or "not supported" in sentence):
        return "unsupported"
    return kind
