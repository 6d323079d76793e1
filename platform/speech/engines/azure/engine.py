"""One call with a definition and a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from speech.audio.pcm import PcmRange
from speech.engines import foreign, hearing_calls
from speech.engines.azure import answers, definitions
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.hearing_calls import Answer, HearingClient
from speech.engines.ports import Callback, Capabilities, EngineRequest, Heard, Pending, Tick
from speech.engines.providers import AzureSettings
from speech.engines.sending import audio_file

PROVIDER: Final = "Azure Speech"
API_VERSION: Final = "2025-10-15"
PATH: Final = f"/speechtotext/transcriptions:transcribe?api-version={API_VERSION}"
MAX_PART_MS: Final = 7_140_000  # under two hours
MAX_PART_BYTES: Final = 240_000_000

# The inner code says more than the outer one.
_CODES: Final[dict[str, ErrorKind]] = {
    "Unauthorized": "auth",
    "401": "auth",
    "Forbidden": "auth",
    "QuotaExceeded": "quota",
    "TooManyRequests": "rate_limited",
    "429": "rate_limited",
    "InvalidLocale": "unsupported",
    "UnsupportedLocale": "unsupported",
    "InvalidModel": "unsupported",
    "AudioLengthLimitExceeded": "too_large",
    "InternalServerError": "transient",
    "ServiceUnavailable": "transient",
}


class Azure:
    """One resource."""

    def __init__(self, settings: AzureSettings) -> None:
        self._settings = settings
        self._http = HearingClient(settings.hearing_url, provider=PROVIDER)
        self.capabilities = Capabilities(
            name="azure", languages=definitions.LANGUAGES, features=definitions.FEATURES, max_part_ms=MAX_PART_MS,
            max_part_bytes=MAX_PART_BYTES, quality="production", rtfx=20.0, models=definitions.MODELS,
            executor=f"cloud:azure:{settings.region}", model_features=definitions.MODEL_FEATURES,
        )  # fmt: skip

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """The text, at once."""
        definition = json.dumps(definitions.definition_of(request)).encode()
        with audio_file(pcm, on_tick=on_tick) as audio:
            files = {
                "definition": (None, definition, "application/json"),
                "audio": (audio.name, audio.file, audio.media_type),
            }
            answer = self._call(
                "POST", PATH, files=files, wait_s=hearing_calls.wait_for(pcm), on_tick=on_tick,
                units=hearing_calls.length_of(pcm),
            )  # fmt: skip
        with foreign.reading(PROVIDER, units=hearing_calls.length_of(pcm)):
            told = foreign.parse(answer.body)
            if not codes_of(told):
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
        """Never: fast transcription brings nothing."""
        raise CallbackRefused

    def check_credentials(self) -> None:
        """Asks for a token, which is not used."""
        self._call("POST", "/sts/v1.0/issueToken", content=b"")

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **call: Any) -> Answer:
        headers = {"Ocp-Apim-Subscription-Key": self._settings.key, "Accept": "application/json"}
        answer = self._http.call(method, path, headers=headers, **call)
        if answer.status != 200:
            raise classify(answer)
        return answer


def classify(answer: Answer) -> EngineError:
    """An error answer as ours: by its innermost code that is known, else by its status."""
    kind = next((_CODES[code] for code in reversed(codes_of(answer.told())) if code in _CODES), None)
    kind = kind or hearing_calls.kind_of_status(answer.status if answer.status != 200 else 500)
    return hearing_calls.failure(PROVIDER, kind, retry_after_s=answer.retry_after_s)


def codes_of(told: Any) -> list[str]:
    """The codes of an error, the outermost first.

    >>> codes_of({"error": {"code": "InvalidArgument", "innerError": {"code": "InvalidLocale"}}})
    ['InvalidArgument', 'InvalidLocale']
    """
    codes: list[str] = []
    while isinstance(told, dict) and len(codes) < 10:
        if "code" in told:
            codes.append(str(told["code"]))
        told = told.get("error") or told.get("innerError") or told.get("innererror")
    return codes
