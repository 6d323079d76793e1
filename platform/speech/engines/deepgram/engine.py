"""One call, answered at once as long as that takes seconds.

What goes to a callback cannot be asked for later, and a lost one is a lost transcript: only long audio goes there.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from speech.audio.pcm import PcmRange
from speech.engines import foreign, hearing_calls
from speech.engines.deepgram import answers, queries
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.hearing_calls import Answer, HearingClient
from speech.engines.ports import Callback, Capabilities, EngineRequest, Heard, Pending, Tick
from speech.engines.providers import DeepgramSettings
from speech.engines.sending import audio_file

PROVIDER: Final = "Deepgram"
USER: Final = "parlance"  # of the basic auth that we ask a callback to bring
MAX_PART_MS: Final = 4 * 3_600_000  # its limit is ten minutes of its own work
MAX_PART_BYTES: Final = 2_000_000_000
CALLBACK_WITHIN_S: Final = 600.0
AT_ONCE_MS: Final = 600_000  # ten minutes of speech are ten seconds of its work

# By its code, whatever the status. Both of its newer shapes and the older one hold one.
_CODES: Final[dict[str, ErrorKind]] = {
    "INVALID_AUTH": "auth",
    "INSUFFICIENT_PERMISSIONS": "auth",
    "FORBIDDEN": "auth",
    "ASR_PAYMENT_REQUIRED": "quota",
    "TOO_MANY_REQUESTS": "rate_limited",
    "PAYLOAD_TOO_LARGE": "too_large",
    "SLOW_UPLOAD": "transient",
    "UNSUPPORTED_MEDIA_TYPE": "invalid_input",
    "MODEL_NOT_FOUND": "unsupported",
}


class Deepgram:
    """One account."""

    def __init__(self, settings: DeepgramSettings) -> None:
        self._settings = settings
        self._http = HearingClient(settings.base_url, provider=PROVIDER)
        self.capabilities = Capabilities(
            name="deepgram", languages=queries.LANGUAGES, features=queries.FEATURES, max_part_ms=MAX_PART_MS,
            max_part_bytes=MAX_PART_BYTES, quality="production", rtfx=60.0, models=queries.MODELS,
            executor=f"cloud:deepgram:{settings.region}", calls_back=True,
        )  # fmt: skip

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """The text; of long audio with a callback an id of what will be brought there."""
        query = queries.query_of(request)
        callback = callback if pcm.duration_ms > AT_ONCE_MS else None
        if callback is not None:
            query.append(("callback", with_proof(callback)))
        answer = self._listen(pcm, query=query, on_tick=on_tick)
        with foreign.reading(PROVIDER, units=hearing_calls.length_of(pcm)):
            told = foreign.parse(answer.body)
            if callback is not None:
                return Pending(_id(told["request_id"]), CALLBACK_WITHIN_S)
            if not is_error(told):
                return answers.heard(told, raw=answer.body, request=request, duration_ms=pcm.duration_ms)
        raise classify(answer)

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        """Never: Deepgram keeps no results."""
        detail = "brings a result once and keeps none. The part is sent again."
        raise hearing_calls.failure(PROVIDER, "transient", code="callback_lost", detail=detail)

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        """The whole result. The user and password in the URL that it was given come back as basic auth."""
        if not hmac.compare_digest(headers.get("authorization", "").encode(), proof(callback).encode()):
            raise CallbackRefused
        try:
            told = foreign.parse(body)
            about = told["metadata"]["request_id"] if "metadata" in told else told["request_id"]
        except foreign.UNUSABLE:
            raise CallbackRefused from None
        if about != external_id:
            raise CallbackRefused
        if is_error(told):
            raise classify(Answer(400, {}, body))
        with foreign.reading(PROVIDER):
            return answers.heard(told, raw=body, request=request)

    def check_credentials(self) -> None:
        """Lists the key's projects."""
        answer = self._http.call("GET", "/v1/projects", headers=self._authorization)
        if answer.status != 200:
            raise classify(answer)
        with foreign.reading(PROVIDER):
            foreign.parse(answer.body)["projects"]

    def close(self) -> None:
        self._http.close()

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Token {self._settings.api_key}"}

    def _listen(self, pcm: PcmRange, *, query: list[tuple[str, str]], on_tick: Tick | None) -> Answer:
        with audio_file(pcm, on_tick=on_tick) as audio:
            sizes = {"Content-Type": audio.media_type, "Content-Length": str(audio.size_bytes)}
            answer = self._http.call(
                "POST", f"/v1/listen?{urlencode(query)}", headers=self._authorization | sizes,
                content=audio.chunks(on_tick=on_tick), wait_s=hearing_calls.wait_for(pcm), on_tick=on_tick,
                units=hearing_calls.length_of(pcm),
            )  # fmt: skip
        if answer.status != 200:
            raise classify(answer)
        return answer


def with_proof(callback: Callback) -> str:
    """The callback's URL with the user and password that Deepgram is to bring back as basic auth.

    >>> with_proof(Callback("https://a.example/b", "s/1"))
    'https://parlance:s%2F1@a.example/b'
    """
    parts = urlsplit(callback.url)
    return parts._replace(netloc=f"{USER}:{quote(callback.secret, safe='')}@{parts.netloc}").geturl()


def proof(callback: Callback) -> str:
    """The header that a callback of Deepgram's own has."""
    return f"Basic {base64.b64encode(f'{USER}:{callback.secret}'.encode()).decode()}"


def is_error(told: Mapping[str, object]) -> bool:
    """Whether it is one of Deepgram's error answers, whatever its status says."""
    return not told.keys().isdisjoint(name for names in _NAMES for name in names)


def classify(answer: Answer) -> EngineError:
    """An error answer as ours: by its code where it has one that is known, else by its status."""
    told = answer.told()
    fields = told if isinstance(told, dict) else {}
    code, sentence = (str(fields.get(name) or fields.get(other) or "") for name, other in _NAMES)
    kind = _CODES.get(code) or hearing_calls.kind_of_status(answer.status if answer.status != 200 else 500)
    if kind == "invalid_input" and "combination" in sentence:
        kind = "unsupported"  # "No such model/language/tier combination found."
    return hearing_calls.failure(PROVIDER, kind, retry_after_s=answer.retry_after_s)


_NAMES: Final = (("err_code", "category"), ("err_msg", "message"))


def _id(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,100}", value):
        raise ValueError("no id")
    return value
