"""The models that the code comes with, and what their providers have announced. Operators add and change in the table.

Dates, languages and prices as published on 2026-11-22; a price that sources disagree about is left out. An engine whose
model is not listed here offers it as well: then nothing is known of it beyond what the engine declares.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from speech.catalogue import FIRST_RELEASE, EngineModel, Lifecycle

_OPENAI_STT_ENDS: Final = date(2027, 2, 26)
_OPENAI_TTS_ENDS: Final = date(2027, 1, 6)
_ANNOUNCED: Final = date(2026, 10, 1)
_MINUTES: Final = 60_000


def _tokens(*, heard: str, written: str) -> tuple[tuple[str, Decimal], ...]:
    """A prompt's few tokens cost less than those of audio, and are counted like them."""
    return (("input_tokens", Decimal(heard)), ("output_tokens", Decimal(written)))


def _characters(per_million: str) -> tuple[tuple[str, Decimal], ...]:
    return (("characters", Decimal(per_million)),)


def _ending(replacement: str, *, shutdown: date, since: date = FIRST_RELEASE.since) -> Lifecycle:
    return Lifecycle(since, shutdown=shutdown, replacement=replacement, deprecated=_ANNOUNCED)


_OPENAI_HEARING: Final[dict[str, dict[str, Any]]] = {
    "whisper-1": {"cost_per_hour": Decimal("0.36")},
    "gpt-4o-transcribe": {"cost_per_million": _tokens(heard="6", written="10")},
    "gpt-4o-mini-transcribe": {"cost_per_million": _tokens(heard="3", written="5")},
    "gpt-4o-mini-transcribe-2025-12-15": {"cost_per_million": _tokens(heard="3", written="5")},
    "gpt-4o-transcribe-diarize": {},
}
# gpt-4o-mini-tts: OpenAI's own estimate by the length of the speech, for its answer tells of no tokens.
_OPENAI_SPEAKING: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("openai", "gpt-4o-mini-tts"): {"cost_per_hour": Decimal("0.90")},
    ("openai-tts-1", "tts-1"): {"cost_per_million": _characters("15")},
    ("openai-tts-1-hd", "tts-1-hd"): {},
}
_HEARING: Final = (
    EngineModel("pocketsphinx", "en-us", languages=("en",)),
    EngineModel("simulated", "simulated-1"),
    EngineModel("simulated-cloud", "simulated-cloud-1"),
    EngineModel("assemblyai", "assemblyai-stt-3-7"),
    EngineModel("assemblyai", "universal-3-5-pro", cost_per_hour=Decimal("0.21")),
    EngineModel("assemblyai", "universal-2", cost_per_hour=Decimal("0.15")),
    EngineModel(
        "assemblyai",
        "universal-3-pro",
        Lifecycle(FIRST_RELEASE.since, shutdown=date(2026, 9, 2), replacement="assemblyai/universal-3-5-pro"),
    ),
    EngineModel("deepgram", "nova-3"),
    EngineModel("deepgram", "nova-2"),
    EngineModel("google", "chirp_3", max_part_ms=20 * _MINUTES),
    EngineModel("azure", "fast"),
    EngineModel("openai", "gpt-transcribe", cost_per_hour=Decimal("0.27")),
    *(
        EngineModel("openai", name, _ending("openai/gpt-transcribe", shutdown=_OPENAI_STT_ENDS), **costs)
        for name, costs in _OPENAI_HEARING.items()
    ),
)

_SPEAKING: Final = (
    EngineModel("polly", "neural", kind="speaking", cost_per_million=_characters("16")),
    EngineModel("polly-standard", "standard", kind="speaking", cost_per_million=_characters("4")),
    EngineModel("polly-generative", "generative", kind="speaking", cost_per_million=_characters("30")),
    EngineModel("polly-long-form", "long-form", kind="speaking", cost_per_million=_characters("100")),
    EngineModel("azure", "neural", kind="speaking"),
    *(
        EngineModel(engine, model, _ending("gpt-realtime-2.1-mini", shutdown=_OPENAI_TTS_ENDS), "speaking", **costs)
        for (engine, model), costs in _OPENAI_SPEAKING.items()
    ),
)

SEEDS: Final[dict[str, EngineModel]] = {model.id: model for model in (*_HEARING, *_SPEAKING)}
