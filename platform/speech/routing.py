"""Which engine hears a recording: a pure function from wishes and capabilities to an explained choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from speech.contracts import NoEngine
from speech.engines.ports import Capabilities
from speech.options import FEATURES, Feature, Options

SIMULATED = "simulated"
SIMULATED_CLOUD = "simulated-cloud"
FITS = "fits"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the order says that matters for the choice of an engine."""

    livemode: bool
    engine: str | None = None
    options: Options = field(default_factory=Options)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that the engine must know."""
        named = (self.options.language,) if self.options.language else ()
        return named + self.options.languages


@dataclass(frozen=True, slots=True)
class Route:
    """The engines to try, best first, and why each engine was taken or passed over."""

    engines: tuple[str, ...]
    reasons: dict[str, str]


def choose(wishes: Wishes, *, available: Sequence[Capabilities]) -> Route:
    """The route for a job; raises `NoEngine`, whose detail names the engines that could do it.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> choose(Wishes(livemode=False), available=[CAPABILITIES]).engines
    ('simulated',)
    """
    reasons = {engine.name: _refusal(engine, wishes) or FITS for engine in available}
    engines = tuple(name for name, reason in reasons.items() if reason == FITS)
    if not engines:
        raise _no_engine(wishes, available)
    return Route(engines=engines, reasons=reasons)


def _refusal(engine: Capabilities, wishes: Wishes) -> str | None:
    if not wishes.livemode:
        return _refusal_of_a_test(engine, wishes)
    if wishes.engine and engine.name != wishes.engine:
        return f"another engine was asked for: {wishes.engine}"
    if engine.quality == "simulated" and wishes.engine != engine.name:
        return "simulated engines run only when asked for by name"
    return _missing_model(engine, wishes) or _missing_language(engine, wishes) or _missing_feature(engine, wishes)


def _refusal_of_a_test(engine: Capabilities, wishes: Wishes) -> str | None:
    """A test is heard by the simulated engine; what it asks of a simulated provider, by that one first."""
    if engine.name == SIMULATED_CLOUD:
        asked = wishes.options.simulate.startswith("cloud:")
        return None if asked else "only what is simulated as cloud: runs on the simulated provider"
    return None if engine.name == SIMULATED else "test keys run on simulated engines only"


def _missing_model(engine: Capabilities, wishes: Wishes) -> str | None:
    model = wishes.options.model
    return f"has no model {model}" if model and model not in engine.models else None


def _missing_language(engine: Capabilities, wishes: Wishes) -> str | None:
    unknown = [language for language in wishes.languages if not engine.speaks(language)]
    return f"does not know the language {', '.join(unknown)}" if unknown else None


def _missing_feature(engine: Capabilities, wishes: Wishes) -> str | None:
    lacking = engine.lacks(wishes.options.needs())
    return f"cannot do {_named(lacking)}" if lacking else None


def _no_engine(wishes: Wishes, available: Sequence[Capabilities]) -> NoEngine:
    """The first wish that nobody can serve, and who could if the wishes before it were dropped."""
    names = [engine.name for engine in available]
    if wishes.engine and wishes.engine not in names:
        detail = f"There is no engine of that name. Engines here: {', '.join(names)}."
        return NoEngine("unknown_engine", detail, field="engine")
    if wishes.options.model and not any(wishes.options.model in engine.models for engine in available):
        models = [f"{engine.name}/{model}" for engine in available for model in engine.models]
        return NoEngine("unknown_model", f"There is no such model. Models here: {', '.join(models)}.", field="model")
    for field_name, missing in _CHECKS.items():
        if all(missing(engine, wishes) for engine in available if _in_question(engine, wishes)):
            return _unable(wishes, available, field_name=field_name, missing=missing)
    able = [engine.name for engine in available if not any(check(engine, wishes) for check in _CHECKS.values())]
    detail = f"No engine chosen so can do all of this at once. Engines that can: {', '.join(able) or 'none'}."
    return NoEngine("no_engine", detail)


_CHECKS: dict[str, Callable[[Capabilities, Wishes], str | None]] = {
    "model": _missing_model,
    "language": _missing_language,
    "options": _missing_feature,
}


def _in_question(engine: Capabilities, wishes: Wishes) -> bool:
    return engine.name == wishes.engine if wishes.engine else engine.quality != "simulated"


def _unable(
    wishes: Wishes,
    available: Sequence[Capabilities],
    *,
    field_name: str,
    missing: Callable[[Capabilities, Wishes], str | None],
) -> NoEngine:
    able = ", ".join(engine.name for engine in available if not missing(engine, wishes)) or "none"
    needs = {
        "model": f"has the model {wishes.options.model}",
        "language": f"knows the language {', '.join(wishes.languages)}",
        "options": f"can do {_named(sorted(wishes.options.needs()))}",
    }[field_name]
    return NoEngine("no_engine", f"No engine chosen so {needs}. Engines that do: {able}.", field=field_name)


def _named(features: Sequence[Feature]) -> str:
    return ", ".join(FEATURES[feature] for feature in features)
