"""What the engines of this installation can do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router

from speech import pools
from speech.answers import EngineListOut
from speech.catalogue import EngineModel, models_of
from speech.engines.ports import Capabilities
from speech.languages import LANGUAGES
from speech.options import FEATURES
from speech.routes.shared import answer
from tenants.facade import ApiKeyAuth

router = Router(auth=ApiKeyAuth(), tags=["engines"])


@router.get("", response={200: EngineListOut}, summary="List engines")
def list_engines(request: HttpRequest) -> HttpResponse:
    """The capability matrix: features, languages, limits, and models with their lifecycles."""
    shown = [_engine(engine) for engine in pools.available()]
    return answer({"object": "list", "data": shown, "has_more": False, "next_cursor": None})


def _engine(engine: Capabilities) -> dict[str, Any]:
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
        "models": [_model(model) for model in models_of(engine)],
        "warnings": [{"code": warning.code, "detail": warning.detail} for warning in engine.warnings],
    }


def _model(model: EngineModel) -> dict[str, Any]:
    shutdown = model.lifecycle.shutdown
    return {
        "id": model.id,
        "model": model.model,
        "since": model.lifecycle.since.isoformat(),
        "shutdown_date": shutdown.isoformat() if shutdown else None,
        "replacement": model.lifecycle.replacement,
    }
