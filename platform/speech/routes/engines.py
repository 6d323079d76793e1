"""What the engines of this installation can do."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router

from speech import choosing
from speech.answers import EngineListOut
from speech.breakers import troubled
from speech.catalogue import EngineModel, models_of
from speech.engines.ports import Capabilities
from speech.languages import LANGUAGES
from speech.offers.current import catalogue
from speech.options import FEATURES
from speech.own_credentials.contracts import is_own
from speech.routes.shared import answer
from speech.routing import region_of
from speech.synthesis import speaking_engines
from tenants.facade import ApiKeyAuth

router = Router(auth=ApiKeyAuth(), tags=["engines"])


@router.get("", response={200: EngineListOut}, summary="List engines")
def list_engines(request: HttpRequest) -> HttpResponse:
    """The capability matrix: features, languages, limits, health, and models; `speaking` are those that speak."""
    engines = choosing.available()
    waits = troubled(engine.executor for engine in engines)
    shown = [_engine(engine, wait_s=waits.get(engine.executor)) for engine in engines]
    return answer(
        {"object": "list", "data": shown, "has_more": False, "next_cursor": None, "speaking": speaking_engines.shown()}
    )


def _engine(engine: Capabilities, *, wait_s: float | None) -> dict[str, Any]:
    return {
        "id": engine.name,
        "object": "engine",
        "quality": engine.quality,
        "languages": None if engine.languages is None else sorted(engine.languages & LANGUAGES.keys()),
        "features": {feature: feature in engine.features for feature in FEATURES},
        "limits": {
            "max_upload_bytes": settings.MAX_UPLOAD_BYTES,
            "max_audio_ms": settings.MAX_AUDIO_MS,
            "max_part_ms": engine.max_part_ms,
        },
        "region": region_of(engine),
        "own_credentials": is_own(engine.executor),
        "health": {
            "status": "available" if wait_s is None else "in_trouble",
            "retry_after_s": None if wait_s is None else math.ceil(wait_s),
        },
        "models": [_model(model, engine) for model in models_of(engine, known=catalogue())],
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in engine.warnings],
    }


def _model(model: EngineModel, engine: Capabilities) -> dict[str, Any]:
    life, today = model.lifecycle, datetime.now(UTC).date()
    return {
        "id": model.id,
        "model": model.model,
        "since": life.since.isoformat(),
        "deprecated_at": life.deprecated.isoformat() if life.deprecated else None,
        "shutdown_date": life.shutdown.isoformat() if life.shutdown else None,
        "replacement": life.replacement,
        "is_offered": not life.is_over(today=today),
        "languages": None if model.languages is None else sorted(model.languages),
        "max_part_ms": min(engine.max_part_ms, model.max_part_ms or engine.max_part_ms),
    }
