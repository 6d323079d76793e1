"""Which models there are and how long they live: data, not constants of the code that uses them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from speech.engines.ports import Capabilities


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Since when a model is offered, when its end was announced, from which day on it is refused, and what follows."""

    since: date
    shutdown: date | None = None
    replacement: str | None = None
    deprecated: date | None = None

    def is_over(self, *, today: date) -> bool:
        """Whether the model's time has passed.

        >>> Lifecycle(date(2026, 1, 1), shutdown=date(2027, 1, 6)).is_over(today=date(2027, 1, 6))
        True
        """
        return self.shutdown is not None and self.shutdown <= today

    def farewell(self, name: str) -> str:
        """The sentence for who asks for it after its end.

        >>> Lifecycle(date(2026, 1, 1), shutdown=date(2027, 1, 6), replacement="b/2").farewell("a/1")
        'The model a/1 was shut down on 2027-01-06. Use b/2 instead.'
        """
        instead = f" Use {self.replacement} instead." if self.replacement else ""
        return f"The model {name} was shut down on {self.shutdown}.{instead}"


FIRST_RELEASE: Final = Lifecycle(date(2026, 11, 23))
AUDIO_MS: Final = "audio_ms"
COUNTED: Final = ("characters", "input_tokens", "output_tokens")  # what providers count beside time
HOUR_MS, MILLION = 3_600_000, 1_000_000


@dataclass(frozen=True, slots=True)
class EngineModel:
    """A model of an engine under its public name, `engine/model`.

    `languages` and `max_part_ms` None are the engine's own; `regions` () wherever the engine runs. What the provider
    asks, in `cost_currency`: `cost_per_hour` of audio, and `cost_per_million` of each unit that it counts.
    """

    engine: str
    model: str
    lifecycle: Lifecycle = FIRST_RELEASE
    kind: Literal["hearing", "speaking"] = "hearing"
    languages: tuple[str, ...] | None = None
    max_part_ms: int | None = None
    regions: tuple[str, ...] = ()
    cost_per_hour: Decimal | None = None
    cost_currency: str = "USD"
    cost_per_million: tuple[tuple[str, Decimal], ...] = ()

    @property
    def id(self) -> str:
        return f"{self.engine}/{self.model}"

    def asked_for(self, unit: str, quantity: int) -> Decimal | None:
        """What the provider asks for so much; None where no price of the unit is known.

        >>> EngineModel("a", "1", cost_per_million=(("characters", Decimal(16)),)).asked_for("characters", 500)
        Decimal('0.008')
        """
        if unit == AUDIO_MS:
            return None if self.cost_per_hour is None else quantity * self.cost_per_hour / HOUR_MS
        rate = dict(self.cost_per_million).get(unit)
        return None if rate is None else quantity * rate / MILLION

    def speaks(self, language: str) -> bool:
        """Whether the model knows the language, as far as it differs from its engine."""
        return self.languages is None or language.partition("-")[0].lower() in self.languages


Catalogue = Mapping[str, EngineModel]  # by id

_DATES: Final = ("since", "deprecated", "shutdown")
FACTS: Final = (*_DATES, "replacement", *[field.name for field in fields(EngineModel)[4:]])


def edited(model: EngineModel, facts: Mapping[str, Any]) -> EngineModel:
    """The model as an operator's facts (JSON's types) change it; raises ValueError for what is wrong.

    >>> edited(EngineModel("a", "1"), {"shutdown": "2027-01-06", "replacement": "a/2"}).lifecycle.shutdown
    datetime.date(2027, 1, 6)
    """
    unknown = facts.keys() - set(FACTS)
    if unknown:
        raise ValueError(f"unknown facts of a model: {', '.join(sorted(unknown))}")
    life: dict[str, Any] = {
        name: date.fromisoformat(value) if value else None for name, value in facts.items() if name in _DATES
    }
    life |= {"replacement": facts["replacement"]} if "replacement" in facts else {}
    rest = {name: value for name, value in facts.items() if name not in _DATES and name != "replacement"}
    for name in rest.keys() & {"languages", "regions"}:
        rest[name] = None if rest[name] is None else tuple(rest[name])
    if rest.get("cost_per_hour") is not None:
        rest["cost_per_hour"] = _amount(str(rest["cost_per_hour"]))
    if "cost_per_million" in rest:
        rest["cost_per_million"] = _amounts(rest["cost_per_million"] or {})
    changed = replace(model, lifecycle=replace(model.lifecycle, **life), **rest)
    if changed.lifecycle.replacement == changed.id:
        raise ValueError("a model cannot replace itself")
    return changed


def _amounts(told: Mapping[str, Any]) -> tuple[tuple[str, Decimal], ...]:
    unknown = told.keys() - set(COUNTED)
    if unknown:
        raise ValueError(f"providers count {', '.join(COUNTED)}, not {', '.join(sorted(unknown))}")
    return tuple((unit, _amount(str(rate))) for unit, rate in told.items())


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError("a cost is a decimal number such as 0.21") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("a cost is a decimal number such as 0.21")
    return amount


def shown(model: EngineModel) -> dict[str, Any]:
    """The model's facts in JSON's types."""
    life = model.lifecycle
    return {
        "id": model.id,
        "engine": model.engine,
        "model": model.model,
        "kind": model.kind,
        **{name: str(value) if (value := getattr(life, name)) else None for name in _DATES},
        "replacement": life.replacement,
        **{name: value for name, value in asdict(model).items() if name in FACTS[4:]},
        "cost_per_hour": None if model.cost_per_hour is None else f"{model.cost_per_hour:f}",
        "cost_per_million": {unit: f"{rate:f}" for unit, rate in model.cost_per_million},
    }


def models_of(engine: Capabilities, *, known: Catalogue) -> list[EngineModel]:
    """An engine's models with what is known of them.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> [model.id for model in models_of(CAPABILITIES, known={})]
    ['simulated/simulated-1']
    """
    ids = [f"{engine.name}/{model}" for model in engine.models]
    return [known.get(name) or EngineModel(engine.name, model) for name, model in zip(ids, engine.models, strict=True)]


def engine_model(name: str, *, available: Sequence[Capabilities], known: Catalogue) -> EngineModel | None:
    """The model of this public name."""
    models = (model for engine in available for model in models_of(engine, known=known))
    return next((model for model in models if model.id == name), None)


def with_added(engine: Capabilities, *, known: Catalogue, seeded: Collection[str]) -> Capabilities:
    """The engine with models that it does not declare behind its own: those that an operator has added, and those past
    their end, so that who asks for one is told what to ask for instead."""
    added = [
        one.model
        for name, one in known.items()
        if one.engine == engine.name and one.kind == "hearing" and one.model not in engine.models
        if name not in seeded or one.lifecycle.shutdown
    ]
    return replace(engine, models=(*engine.models, *added)) if added else engine
