"""What the engines that speak can do, as the API shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from speech.audio.encoding import MEDIA_TYPES
from speech.breakers import SPEAK, troubled
from speech.engines.speaking import SpeakingCapabilities, Voice
from speech.languages import primary
from speech.providers import speakers


def shown() -> list[dict[str, Any]]:
    """Every speaking engine of this installation. Each gives every format: what it lacks is transcoded."""
    engines = [(engine.capabilities, engine.voices()) for engine in speakers().values()]
    waits = troubled((able.executor for able, _ in engines), operation=SPEAK)
    today = datetime.now(UTC).date()
    return [_engine(able, voices, wait_s=waits.get(able.executor), today=today) for able, voices in engines]


def _engine(
    able: SpeakingCapabilities, voices: Sequence[Voice], *, wait_s: float | None, today: date
) -> dict[str, Any]:
    slowest, fastest = able.speeds_permille
    return {
        "id": able.name,
        "object": "speaking_engine",
        "quality": able.quality,
        "languages": sorted({primary(language) for voice in voices for language in voice.languages}),
        "voices": len(voices),
        "formats": list(MEDIA_TYPES),
        "ssml_tags": sorted(able.ssml_tags),
        "timings": sorted(able.timings),
        "timings_are_billed": able.pays_for_marks,
        "speed": {"min": slowest / 1000, "max": fastest / 1000},
        "max_part_characters": able.max_characters,
        "region": able.executor.split(":")[2] if able.executor else None,
        "health": {
            "status": "available" if wait_s is None else "in_trouble",
            "retry_after_s": None if wait_s is None else math.ceil(wait_s),
        },
        "shutdown_date": able.shutdown_date.isoformat() if able.shutdown_date else None,
        "replacement": able.replacement or None,
        "is_offered": not able.is_retired(today),
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in able.warnings],
    }
