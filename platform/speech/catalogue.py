"""Which models there are and how long they live: data, not constants of the code that uses them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from speech.engines.ports import Capabilities


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Since when a model is offered, from which day on it is refused, and what to ask for instead."""

    since: date
    shutdown: date | None = None
    replacement: str | None = None

    def is_over(self, *, today: date) -> bool:
        """Whether the model's time has passed.

        >>> Lifecycle(date(2026, 1, 1), shutdown=date(2027, 1, 6)).is_over(today=date(2027, 1, 6))
        True
        """
        return self.shutdown is not None and self.shutdown <= today


FIRST_RELEASE: Final = Lifecycle(date(2026, 11, 23))

# A provider's announcement goes here: Lifecycle(since, shutdown=…, replacement="engine/model").
LIFECYCLES: Final[dict[str, Lifecycle]] = {
    "pocketsphinx/en-us": FIRST_RELEASE,
    "simulated/simulated-1": FIRST_RELEASE,
    "simulated-cloud/simulated-cloud-1": FIRST_RELEASE,
}


@dataclass(frozen=True, slots=True)
class EngineModel:
    """A model of an engine under its public name, `engine/model`."""

    engine: str
    model: str
    lifecycle: Lifecycle

    @property
    def id(self) -> str:
        return f"{self.engine}/{self.model}"


def models_of(engine: Capabilities) -> list[EngineModel]:
    """An engine's models with their lifecycles.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> [model.id for model in models_of(CAPABILITIES)]
    ['simulated/simulated-1']
    """
    return [
        EngineModel(engine.name, model, LIFECYCLES.get(f"{engine.name}/{model}", FIRST_RELEASE))
        for model in engine.models
    ]


def engine_model(name: str, *, available: Sequence[Capabilities]) -> EngineModel | None:
    """The model of this public name."""
    return next((model for engine in available for model in models_of(engine) if model.id == name), None)
