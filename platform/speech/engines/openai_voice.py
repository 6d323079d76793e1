"""OpenAI's voices, one engine for each model: they differ in price and in the day on which they are shut down."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from speech.engines import provider_calls
from speech.engines.ports import EngineWarning, ReportedUnits
from speech.engines.provider_calls import ProviderClient
from speech.engines.providers import OpenAiSettings
from speech.engines.speaking import Count, Mark, SpeakingCapabilities, SpokenPart, Tick, Timing, Voice
from speech.synthesis.errors import SpeakFailed

if TYPE_CHECKING:
    import httpx

PROVIDER: Final = "OpenAI"
EXECUTOR: Final = "cloud:openai:global"
RATE_HZ: Final = 24_000
MAX_CHARACTERS: Final = 4_096
MAX_TOKENS: Final = 2_000
RTFX: Final = 10.0


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its end; `voices` are those it has. The newer one counts and bills tokens, the older characters."""

    name: str
    engine: str
    voices: tuple[str, ...]
    counts_tokens: bool
    shutdown_date: date
    replacement: str

    @property
    def max_characters(self) -> int:
        """Latin ones, where it counts tokens."""
        return MAX_TOKENS if self.counts_tokens else MAX_CHARACTERS

    def counted(self, text: str) -> int:
        """At most what OpenAI counts: a token stands for one byte of UTF-8 or more, and only OpenAI knows for how many.

        >>> [model.counted("hi, 안녕") for model in MODELS]
        [10, 6, 6]
        """
        return len(text.encode(errors="replace")) if self.counts_tokens else len(text)


_SHUTDOWN: Final = date(2027, 1, 6)
_REPLACEMENT: Final = "gpt-realtime-2.1-mini"
_OLD_VOICES: Final = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
_NEW_VOICES: Final = (*_OLD_VOICES, "ballad", "verse", "marin", "cedar")
MODELS: Final = (
    Model("gpt-4o-mini-tts", "openai", _NEW_VOICES, True, _SHUTDOWN, _REPLACEMENT),
    Model("tts-1", "openai-tts-1", _OLD_VOICES, False, _SHUTDOWN, _REPLACEMENT),
    Model("tts-1-hd", "openai-tts-1-hd", _OLD_VOICES, False, _SHUTDOWN, _REPLACEMENT),
)
# Every voice speaks them all, with an accent of English; the first is its own.
LANGUAGES: Final = (
    "en", "ko", "ja", "zh", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "id", "vi", "th",
    "sv", "da", "fi", "nb", "cs", "sk", "hu", "ro", "el", "he",
)  # fmt: skip


class OpenAiVoice:
    """One model."""

    def __init__(self, settings: OpenAiSettings, *, model: Model, today: Callable[[], date] | None = None) -> None:
        self._settings = settings
        self._model = model
        self._today = today or _today
        self._http = ProviderClient(settings.base_url)
        self.capabilities = SpeakingCapabilities(
            name=model.engine,
            max_characters=model.max_characters,
            ssml_tags=frozenset(),
            quality="production",
            rtfx=RTFX,
            executor=EXECUTOR,
            shutdown_date=model.shutdown_date,
            replacement=model.replacement,
            warnings=(
                EngineWarning(
                    code="model_shutdown_scheduled",
                    detail=f"OpenAI shuts {model.name} down on {model.shutdown_date}. Choose another voice by then.",
                ),
            ),
        )

    def voices(self) -> tuple[Voice, ...]:
        return tuple(Voice(self._model.engine, name, LANGUAGES, "neutral", RATE_HZ) for name in self._model.voices)

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """Samples as OpenAI sends them."""
        self._check(part)
        if not part.text.strip():
            return
        with contextlib.closing(self._post(part)) as response:
            if response.status_code != 200:
                raise classify(response.status_code, body=provider_calls.error_body(response), headers=response.headers)
            provider_calls.require_audio(response.headers.get("content-type"), provider=PROVIDER)
            samples = provider_calls.samples(response.iter_raw(), on_tick=on_tick)
            yield from self._counted(samples, text=part.text, on_units=on_units)

    def _counted(self, samples: Iterator[bytes], *, text: str, on_units: Count | None) -> Iterator[bytes]:
        """The samples, and what OpenAI takes for them, as far as they came: no answer tells of tokens, but they are
        those of the speech, so its length is counted instead."""
        size_bytes = 0
        try:
            for piece in samples:
                size_bytes += len(piece)
                yield piece
        finally:
            length_ms = size_bytes * 1000 // (2 * RATE_HZ)
            counted = ("audio_ms", length_ms) if self._model.counts_tokens else ("characters", len(text))
            if on_units is not None:
                on_units(ReportedUnits(*counted))

    def takes(self, part: SpokenPart) -> bool:
        """Never over the model's limit, whichever way its tokens fall."""
        return self._model.counted(part.text) <= self._model.max_characters

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """OpenAI tells no times."""
        raise NotImplementedError

    def close(self) -> None:
        self._http.close()

    def _check(self, part: SpokenPart) -> None:
        if self.capabilities.is_retired(self._today()):
            detail = (
                f"OpenAI shut {self._model.name} down on {self._model.shutdown_date}; its successor there is "
                f"{self._model.replacement}. Choose a voice of another engine."
            )
            raise SpeakFailed(kind="permanent", code="model_retired", detail=detail)
        if part.is_ssml:
            raise provider_calls.refused(PROVIDER, code="ssml_tag_unsupported", why="takes no SSML")

    def _post(self, part: SpokenPart) -> httpx.Response:
        body = {
            "model": self._model.name, "input": part.text, "voice": part.voice.name, "response_format": "pcm",
            "speed": part.speed_permille / 1000,
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self._settings.api_key}", "Content-Type": "application/json"}
        url = f"{self._settings.base_url.rstrip('/')}/audio/speech"
        return self._http.post(url, headers=headers, content=json.dumps(body).encode())


def classify(status: int, *, body: bytes, headers: httpx.Headers) -> SpeakFailed:
    """An error answer as ours: by its code where it has one, else by its status."""
    code, kind = _code_of(body)
    if status == 429:
        if code == "insufficient_quota" or kind == "insufficient_quota":
            return provider_calls.out_of_quota(PROVIDER)
        return provider_calls.busy(PROVIDER, retry_after=headers.get("retry-after"))
    if status in {401, 403}:
        return provider_calls.not_let_in(PROVIDER)
    if status in {408, 409} or status >= 500:
        return provider_calls.broken(PROVIDER)
    if code == "model_not_found":
        return provider_calls.refused(PROVIDER, code="voice_unavailable", why="does not have this model any more")
    if code == "string_above_max_length":
        return provider_calls.refused(PROVIDER, code="text_too_long", why="takes no text of this length")
    return provider_calls.refused(PROVIDER)


def _code_of(body: bytes) -> tuple[str, str]:
    try:
        error: Any = json.loads(body)["error"]
        return str(error.get("code") or ""), str(error.get("type") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _today() -> date:
    return datetime.now(UTC).date()
