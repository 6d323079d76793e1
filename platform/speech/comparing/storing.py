"""The latest measurement of each model and language, where the quality policy reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from speech.comparing.measuring import Result
from speech.comparing.scoring import BY_CHARACTERS
from speech.offers.current import quality
from speech.offers.models import EngineQuality

OWNER = "owner"


def store(results: Sequence[Result]) -> None:
    """Replace what was measured before; in force everywhere within half a minute."""
    with transaction.atomic(using=OWNER):
        for result in results:
            EngineQuality.objects.using(OWNER).update_or_create(
                engine=result.contender.engine.name, model=result.contender.model.model, language=result.language,
                defaults=_measured(result),
            )  # fmt: skip
    quality.forget()


def row_of(result: Result) -> dict[str, Any]:
    """A result in JSON's types."""
    return {
        "engine": result.contender.engine.name,
        "model": result.contender.model.model,
        "language": result.language,
        "metric": "cer" if result.language in BY_CHARACTERS else "wer",
        "wer": _text(result.wer),
        "cer": _text(result.cer),
        "clips": len(result.heard),
        "failed": len(result.heard) - len(result.well),
        "failures": sorted({one.failed for one in result.heard if one.failed}),
        "audio_ms": result.audio_ms,
        "latency_ms_p50": result.latency_ms(50),
        "latency_ms_p95": result.latency_ms(95),
        "ms_per_audio_s": _text(result.ms_per_audio_s and round(result.ms_per_audio_s, 1)),
        "cost": _text(result.cost),
        "cost_currency": result.contender.model.cost_currency if result.cost is not None else None,
    }


def _measured(result: Result) -> dict[str, Any]:
    """Korean and its like are judged by characters alone: their words are no measure."""
    return {
        "clips": len(result.heard),
        "failed": len(result.heard) - len(result.well),
        "audio_ms": result.audio_ms,
        "wer": result.wer,
        "cer": result.cer if result.language in BY_CHARACTERS else None,
        "latency_ms_p50": result.latency_ms(50),
        "latency_ms_p95": result.latency_ms(95),
        "ms_per_audio_s": result.ms_per_audio_s and round(result.ms_per_audio_s, 3),
        "cost": result.cost,
        "cost_currency": result.contender.model.cost_currency if result.cost is not None else "",
        "measured_at": datetime.now(UTC),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
