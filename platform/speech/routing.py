"""Which engine hears a recording: a pure function from wishes and capabilities to an explained choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from speech.contracts import NoEngine
from speech.engines.ports import Capabilities

SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the order says about the engine."""

    livemode: bool
    engine: str | None = None
    language: str | None = None


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
    reasons = {engine.name: _refusal(engine, wishes) or "fits" for engine in available}
    engines = tuple(name for name, reason in reasons.items() if reason == "fits")
    if not engines:
        raise _no_engine(wishes, available)
    return Route(engines=engines, reasons=reasons)


def _refusal(engine: Capabilities, wishes: Wishes) -> str | None:
    if not wishes.livemode:
        return None if engine.name == SIMULATED else "test keys run on the simulated engine only"
    if wishes.engine and engine.name != wishes.engine:
        return f"another engine was asked for: {wishes.engine}"
    if engine.name == SIMULATED and wishes.engine != SIMULATED:
        return "simulated engines run only when asked for by name"
    if not engine.speaks(wishes.language):
        return f"does not know the language {wishes.language}"
    return None


def _no_engine(wishes: Wishes, available: Sequence[Capabilities]) -> NoEngine:
    names = [engine.name for engine in available]
    if wishes.engine and wishes.engine not in names:
        return NoEngine("unknown_engine", f"There is no engine of that name. Engines here: {', '.join(names)}.")
    able = [engine.name for engine in available if engine.speaks(wishes.language)]
    return NoEngine(
        "no_engine",
        f"No engine chosen so knows the language {wishes.language}. Engines that do: {', '.join(able) or 'none'}.",
    )
