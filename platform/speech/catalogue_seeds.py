"""The models that the code comes with, and what their providers have announced. Operators add and change in the table.

Dates, languages and prices as published on 2026-11-22; a price that sources disagree about is left out. An engine whose
model is not listed here offers it as well: then nothing is known of it beyond what the engine declares.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from speech.catalogue import FIRST_RELEASE, EngineModel, Lifecycle

_OPENAI_STT_ENDS: Final = date(2027, 2, 26)
_OPENAI_TTS_ENDS: Final = date(2027, 1, 6)
_ANNOUNCED: Final = date(2026, 10, 1)
_MINUTES: Final = 60_000


def _ending(replacement: str, *, shutdown: date, since: date = FIRST_RELEASE.since) -> Lifecycle:
    return Lifecycle(since, shutdown=shutdown, replacement=replacement, deprecated=_ANNOUNCED)


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
        EngineModel("openai", name, _ending("openai/gpt-transcribe", shutdown=_OPENAI_STT_ENDS))
        for name in (
            "whisper-1",
            "gpt-4o-transcribe",
            "gpt-4o-mini-transcribe",
            "gpt-4o-mini-transcribe-2025-12-15",
            "gpt-4o-transcribe-diarize",
        )
    ),
)

_SPEAKING: Final = tuple(
    EngineModel(engine, model, _ending("gpt-realtime-2.1-mini", shutdown=_OPENAI_TTS_ENDS), kind="speaking")
    for engine, model in (("openai", "gpt-4o-mini-tts"), ("openai-tts-1", "tts-1"), ("openai-tts-1-hd", "tts-1-hd"))
)

SEEDS: Final[dict[str, EngineModel]] = {model.id: model for model in (*_HEARING, *_SPEAKING)}
