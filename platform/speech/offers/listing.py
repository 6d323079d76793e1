"""The catalogue for operators: every model with its facts, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from speech import choosing, pools
from speech.catalogue import models_of, shown
from speech.offers import editing
from speech.offers.current import catalogue


def catalogue_rows(*, every: bool = False) -> list[dict[str, Any]]:
    """The models of the engines that are set up here, or of every engine that is known."""
    catalogue.forget()
    known, today = catalogue(), datetime.now(UTC).date()
    here = {model.id: model for engine in choosing.available() for model in models_of(engine, known=known)}
    speaking = {name: model for name, model in known.items() if model.engine in pools.engine_names()}
    models = {**known, **here} if every else {**here, **speaking}
    return [shown(model) | {"is_over": model.lifecycle.is_over(today=today)} for model in models.values()]


def set_model(name: str, facts: Mapping[str, Any], *, adding: bool) -> dict[str, Any]:
    """Change or add a model and show it; raises ValueError."""
    if adding and name.partition("/")[0] not in choosing.known_engines():
        engines = ", ".join(sorted(choosing.known_engines()))
        raise ValueError(f"There is no engine of that name. Engines: {engines}.")
    return shown(editing.set_facts(name, facts, adding=adding))


def reset_model(name: str) -> bool:
    """Take every edit back; False when there was none."""
    return editing.reset(name)
