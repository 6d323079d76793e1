"""One call with a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from speech.audio.pcm import PcmRange
from speech.engines import foreign, hearing_calls
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.hearing_calls import Answer, HearingClient
from speech.engines.openai import answers, forms, models
from speech.engines.ports import Callback, Capabilities, EngineRequest, Heard, Pending, Tick
from speech.engines.providers import OpenAiSettings
from speech.engines.sending import audio_file

PROVIDER: Final = "OpenAI"
MAX_FILE_BYTES: Final = 25 * 1024 * 1024
MAX_PART_MS: Final = 1_380_000  # 23 minutes: its newer models take 1,400 s; longer files go out as Opus

_CODES: Final[dict[str, ErrorKind]] = {
    "invalid_api_key": "auth",
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "rate_limit_exceeded": "rate_limited",
    "model_not_found": "unsupported",
    "unsupported_value": "unsupported",
    "unsupported_format": "invalid_input",
    "audio_too_long": "too_large",
    "content_too_large": "too_large",
    "server_error": "transient",
}


class OpenAi:
    """One account."""

    def __init__(self, settings: OpenAiSettings, *, today: Callable[[], date] | None = None) -> None:
        self._settings = settings
        self._today = today or _today
        self._http = HearingClient(settings.base_url, provider=PROVIDER)

    @property
    def capabilities(self) -> Capabilities:
        """What the models that are left can do together; `models.chosen` finds the one for a request."""
        living = models.living(self._today())
        return Capabilities(
            name="openai", languages=models.LANGUAGES, max_part_ms=MAX_PART_MS, quality="production", rtfx=15.0,
            features=frozenset(feature for model in living for feature in model.features),
            models=tuple(model.name for model in living), executor="cloud:openai:global",
            model_features={model.name: model.features for model in living},
        )  # fmt: skip

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """The text, at once."""
        model = models.chosen(request, today=self._today())
        path = "/audio/translations" if request.options.task == "translate" else "/audio/transcriptions"
        with audio_file(pcm, max_bytes=MAX_FILE_BYTES, on_tick=on_tick) as audio:
            answer = self._http.call(
                "POST", path, headers=self._authorization, data=forms.form_of(request, model=model),
                files={"file": (audio.name, audio.file, audio.media_type)}, wait_s=hearing_calls.wait_for(pcm),
                on_tick=on_tick, units=hearing_calls.length_of(pcm),
            )  # fmt: skip
        if answer.status != 200:
            raise classify(answer)
        with foreign.reading(PROVIDER, units=hearing_calls.length_of(pcm)):
            told = foreign.parse(answer.body)
            if "error" not in told:
                request_id = answer.headers.get("x-request-id", "")[:200]
                heard = answers.heard(told, raw=answer.body, request=request, duration_ms=pcm.duration_ms)
                return Heard(heard.transcript, heard.raw, model.name, request_id, heard.units)
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
        """Never: OpenAI brings nothing."""
        raise CallbackRefused

    def check_credentials(self) -> None:
        """Lists the models."""
        answer = self._http.call("GET", "/models", headers=self._authorization)
        if answer.status != 200:
            raise classify(answer)
        with foreign.reading(PROVIDER):
            foreign.parse(answer.body)["data"]

    def close(self) -> None:
        self._http.close()

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.api_key}"}


def classify(answer: Answer) -> EngineError:
    """An error answer as ours: by its code or type. A 429 that names no time to wait needs somebody to act."""
    told = answer.told()
    error = told.get("error") if isinstance(told, dict) else None
    fields = error if isinstance(error, dict) else {}
    known = [_CODES[str(fields.get(name))] for name in ("code", "type") if str(fields.get(name)) in _CODES]
    kind = known[0] if known else hearing_calls.kind_of_status(answer.status if answer.status != 200 else 500)
    names_time = answer.retry_after_s is not None or "retry-after-ms" in answer.headers
    if kind == "rate_limited" and answer.status == 429 and not names_time:
        kind = "quota"
    return hearing_calls.failure(PROVIDER, kind, retry_after_s=answer.retry_after_s)


def _today() -> date:
    return datetime.now(UTC).date()
