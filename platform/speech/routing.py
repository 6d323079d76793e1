"""Which engine hears a recording: a pure function from wishes, policies and what is known to an explained choice.

First everything that an engine cannot or may not do takes it out, each with its reason; the rest is put in order by
what the order, the key or the tenant wants to optimize. An engine in trouble goes last: it is better than none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from speech.catalogue import EngineModel, models_of
from speech.catalogue_seeds import SEEDS
from speech.contracts import NoEngine
from speech.engines.ports import Capabilities
from speech.options import FEATURES, Feature, Options
from speech.own_credentials.contracts import is_own
from speech.routing_order import FITS, Outlook, Scored, scored
from tenants.facade import ANY_ENGINE, RoutingPolicy, is_within

SIMULATED = "simulated"
SIMULATED_CLOUD = "simulated-cloud"

__all__ = ["FITS", "SIMULATED", "SIMULATED_CLOUD", "Outlook", "Route", "Wishes", "choose"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the order says that matters for the choice of an engine; `policy` is everybody's, narrowed to one."""

    livemode: bool
    engine: str | None = None
    options: Options = field(default_factory=Options)
    policy: RoutingPolicy = ANY_ENGINE

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that the engine must know."""
        named = (self.options.language,) if self.options.language else ()
        return named + self.options.languages


@dataclass(frozen=True, slots=True)
class Route:
    """The engines to try, best first, with the model that each is to use ("": its best), and why each engine was taken
    or passed over."""

    engines: tuple[str, ...]
    reasons: dict[str, str]
    models: dict[str, str] = field(default_factory=dict)
    optimize: str | None = None
    own: tuple[str, ...] = ()  # those that run on the tenant's own credentials

    def to_json(self) -> dict[str, Any]:
        """What the resource shows under `routing`."""
        shown: dict[str, Any] = {"engine": self.engines[0], "model": self.models.get(self.engines[0]) or None}
        shown |= {"engines": list(self.engines), "optimize": self.optimize, "reasons": self.reasons}
        shown |= {"models": {name: model for name, model in self.models.items() if model}}
        return shown | ({"own": list(self.own)} if self.own else {})


def choose(wishes: Wishes, *, available: Sequence[Capabilities], outlook: Outlook | None = None) -> Route:
    """The route for a job; raises `NoEngine`, whose detail names the engines that could do it.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> choose(Wishes(livemode=False), available=[CAPABILITIES]).engines
    ('simulated',)
    """
    outlook = outlook or Outlook(models=SEEDS)
    refusals = {engine.name: _refusal(engine, wishes, outlook) for engine in available}
    fitting = [engine for engine in available if refusals[engine.name] is None]
    if not fitting:
        raise _no_engine(wishes, available, outlook)
    optimize = wishes.policy.optimize if wishes.livemode else None
    options = [_best_model(engine, wishes, outlook, optimize=optimize) for engine in fitting]
    ordered = sorted(options, key=lambda option: option.rank)
    taken = ordered if wishes.policy.fallbacks is None else ordered[: wishes.policy.fallbacks + 1]
    reasons = {name: reason for name, reason in refusals.items() if reason}
    reasons |= {option.engine: option.reason for option in taken}
    reasons |= {option.engine: f"{option.reason}; no more fallbacks are wanted" for option in ordered[len(taken) :]}
    return Route(
        engines=tuple(option.engine for option in taken),
        reasons={engine.name: reasons[engine.name] for engine in available},
        models={option.engine: option.model for option in taken},
        optimize=optimize,
        own=tuple(engine.name for engine in fitting if is_own(engine.executor)),
    )


def region_of(engine: Capabilities) -> str | None:
    """Where a provider's engine runs ("" when it does not say); None for one on the operator's own machines.

    >>> from dataclasses import replace; from speech.engines.simulated import CAPABILITIES
    >>> region_of(CAPABILITIES), region_of(replace(CAPABILITIES, executor="cloud:deepgram:eu"))
    (None, 'eu')
    >>> region_of(replace(CAPABILITIES, executor="cloud:deepgram:own", region="eu"))  # on own credentials
    'eu'
    """
    return engine.region if is_own(engine.executor) else region_at(engine.executor)


def region_at(executor: str) -> str | None:
    """The same of an executor.

    >>> region_at("cloud:polly:ap-northeast-2"), region_at("local:espeak-ng")
    ('ap-northeast-2', None)
    """
    kind, _, place = executor.partition(":")
    return place.partition(":")[2].partition(":")[0] if kind == "cloud" else None


def _best_model(engine: Capabilities, wishes: Wishes, outlook: Outlook, *, optimize: str | None) -> Scored:
    models = _fitting_models(engine, wishes, outlook) or [EngineModel(engine.name, "")]
    language = (wishes.languages or ("",))[0]
    return min(
        (scored(engine, model.model, optimize=optimize, language=language, outlook=outlook) for model in models),
        key=lambda option: option.rank,
    )


def _refusal(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    if not wishes.livemode:
        return _refusal_of_a_test(engine, wishes)
    if wishes.engine and engine.name != wishes.engine:
        return f"another engine was asked for: {wishes.engine}"
    if engine.quality == "simulated" and wishes.engine != engine.name:
        return "simulated engines run only when asked for by name"
    checks = (_not_allowed, _missing_model, _missing_language, _missing_feature, _missing_price)
    return next((reason for check in checks if (reason := check(engine, wishes, outlook))), None)


def _refusal_of_a_test(engine: Capabilities, wishes: Wishes) -> str | None:
    """A test is heard by the simulated engine; what it asks of a simulated provider, by that one first."""
    if engine.name == SIMULATED_CLOUD:
        asked = wishes.options.simulate.startswith("cloud:")
        return None if asked else "only what is simulated as cloud: runs on the simulated provider"
    return None if engine.name == SIMULATED else "test keys run on simulated engines only"


def _not_allowed(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    return not_allowed(engine.name, policy=wishes.policy, region=region_of(engine))


def not_allowed(engine: str, *, policy: RoutingPolicy, region: str | None) -> str | None:
    """Why an engine may not be taken, whether it hears or speaks; None when it may."""
    if engine in policy.deny:
        return "denied by the routing policy"
    if policy.allow is not None and engine not in policy.allow:
        return "not among the engines that the routing policy allows"
    if policy.local_only and region is not None:
        return "local_only: it would send what is yours to a provider"
    if region is None or policy.regions is None or any(is_within(region, wider) for wider in policy.regions):
        return None
    return f"runs in the region {region or 'unknown'}, outside of {', '.join(policy.regions) or 'every allowed one'}"


def _missing_model(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    model = wishes.options.model
    if model and model not in engine.models:
        return f"has no model {model}"
    known = models_of(engine, known=outlook.models)
    alive = [one for one in known if not one.lifecycle.is_over(today=outlook.today)]
    if model:
        asked = next(one for one in known if one.model == model)
        return None if asked in alive else asked.lifecycle.farewell(asked.id)
    return None if alive or not known else "all its models were shut down"


def _missing_language(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    unknown = [language for language in wishes.languages if not engine.speaks(language)]
    if unknown:
        return f"does not know the language {', '.join(unknown)}"
    living = _living_models(engine, wishes, outlook)
    if living and not any(_knows(model, wishes) for model in living):
        return f"has no model that knows the language {', '.join(wishes.languages)}"
    return None


def _missing_feature(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    needs, model = wishes.options.needs(), wishes.options.model
    if lacking := engine.model_lacks(model, needs) if model in engine.models else engine.lacks(needs):
        return f"cannot do {_named(lacking)}" + (f" with {model}" if not engine.lacks(lacking) else "")
    knowing = [one for one in _living_models(engine, wishes, outlook) if _knows(one, wishes)]
    if knowing and not _fitting_models(engine, wishes, outlook):
        return f"has no model that can do all of this at once: {_named(sorted(needs))}"
    return None


def _missing_price(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> str | None:
    """Nothing is sold without a price; where no prices are known at all, that is found out elsewhere."""
    priced = not outlook.rates or any(name.partition("/")[0] == engine.name for name in outlook.rates)
    return None if priced else f"has no price in {outlook.currency}"


def _fitting_models(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> list[EngineModel]:
    needs = wishes.options.needs()
    living = _living_models(engine, wishes, outlook)
    return [one for one in living if _knows(one, wishes) and not engine.model_lacks(one.model, needs)]


def _living_models(engine: Capabilities, wishes: Wishes, outlook: Outlook) -> list[EngineModel]:
    """Those that may be meant and are still offered."""
    return [
        model
        for model in models_of(engine, known=outlook.models)
        if wishes.options.model in ("", model.model) and not model.lifecycle.is_over(today=outlook.today)
    ]


def _knows(model: EngineModel, wishes: Wishes) -> bool:
    return all(model.speaks(language) for language in wishes.languages)


def _no_engine(wishes: Wishes, available: Sequence[Capabilities], outlook: Outlook) -> NoEngine:
    """The first wish that nobody can serve, and who could if the wishes before it were dropped."""
    names = [engine.name for engine in available]
    if wishes.engine and wishes.engine not in names:
        detail = f"There is no engine of that name. Engines here: {', '.join(names)}."
        return NoEngine("unknown_engine", detail, field="engine")
    asked = [engine for engine in available if _in_question(engine, wishes)]
    if wishes.options.model and not any(wishes.options.model in engine.models for engine in available):
        models = [f"{engine.name}/{model}" for engine in available for model in engine.models]
        return NoEngine("unknown_model", f"There is no such model. Models here: {', '.join(models)}.", field="model")
    over = _all_over(asked, wishes, outlook)
    if over is not None:
        return NoEngine("model_shut_down", over, field="model")
    if all(_not_allowed(engine, wishes, outlook) for engine in asked):
        return _forbidden(wishes, asked, outlook)
    for field_name, missing in _CHECKS.items():
        if all(missing(engine, wishes, outlook) for engine in asked):
            return _unable(wishes, available, outlook, field_name=field_name, missing=missing)
    able = [
        engine.name for engine in available if not any(check(engine, wishes, outlook) for check in _CHECKS.values())
    ]
    detail = f"No engine chosen so can do all of this at once. Engines that can: {', '.join(able) or 'none'}."
    return NoEngine("no_engine", detail)


Check = Callable[[Capabilities, Wishes, Outlook], str | None]
_CHECKS: dict[str, Check] = {
    "model": _missing_model,
    "language": _missing_language,
    "options": _missing_feature,
    "engine": _missing_price,
}


def _in_question(engine: Capabilities, wishes: Wishes) -> bool:
    return engine.name == wishes.engine if wishes.engine else engine.quality != "simulated"


def _all_over(asked: Sequence[Capabilities], wishes: Wishes, outlook: Outlook) -> str | None:
    """Why the model that was asked for is no more, when every engine that had it has it no more."""
    model = wishes.options.model
    owners = [engine for engine in asked if model and model in engine.models]
    told = [_missing_model(engine, wishes, outlook) for engine in owners]
    return told[0] if told and all(told) else None


def _forbidden(wishes: Wishes, asked: Sequence[Capabilities], outlook: Outlook) -> NoEngine:
    told = "; ".join(f"{engine.name}: {_not_allowed(engine, wishes, outlook)}" for engine in asked)
    detail = f"The routing policies of request, key and tenant leave no engine ({told or 'none is set up'})."
    return NoEngine("no_engine_allowed", f"{detail} Widen `routing`, or ask who sets the policy.", field="routing")


def _unable(
    wishes: Wishes, available: Sequence[Capabilities], outlook: Outlook, *, field_name: str, missing: Check
) -> NoEngine:
    able = ", ".join(engine.name for engine in available if not missing(engine, wishes, outlook)) or "none"
    needs = {
        "model": f"has the model {wishes.options.model}"
        if wishes.options.model
        else "has a model that is still offered",
        "language": f"knows the language {', '.join(wishes.languages)}",
        "options": f"can do {_named(sorted(wishes.options.needs()))}",
        "engine": f"has a price in {outlook.currency}",
    }[field_name]
    return NoEngine("no_engine", f"No engine chosen so {needs}. Engines that do: {able}.", field=field_name)


def _named(features: Sequence[Feature]) -> str:
    return ", ".join(FEATURES[feature] for feature in features)
