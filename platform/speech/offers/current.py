"""The catalogue and the measurements as they stand, read from memory: at most `CATALOGUE_S` old in every process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection

from observe.facade import get_logger
from speech.catalogue import Catalogue, EngineModel, edited
from speech.catalogue_seeds import SEEDS
from speech.kept import Kept
from speech.routing_order import Measured

_EDITS = "SELECT engine, model, facts::text FROM public.model_edit"
_QUALITY = """SELECT engine, model, language, coalesce(cer, wer), cer IS NOT NULL, clips, ms_per_audio_s
 FROM public.engine_quality WHERE clips > failed"""

log = get_logger(__name__)


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _read_catalogue() -> Catalogue:
    found = dict(SEEDS)
    for engine, model, facts in _rows(_EDITS):
        name = f"{engine}/{model}"
        try:
            found[name] = edited(found.get(name) or EngineModel(engine, model), json.loads(facts))
        except (ValueError, TypeError) as error:  # written by another version: the seeds hold
            log.warning("model_edit_unreadable", model=name, error=type(error).__name__)
    return found


def _read_quality() -> Mapping[tuple[str, str, str], Measured]:
    return {(row[0], row[1], row[2]): Measured(*row[3:]) for row in _rows(_QUALITY)}


catalogue: Kept[Catalogue] = Kept(_read_catalogue, kept_s=settings.CATALOGUE_S)
quality: Kept[Mapping[tuple[str, str, str], Measured]] = Kept(_read_quality, kept_s=settings.CATALOGUE_S)
