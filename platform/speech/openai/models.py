"""The names under which OpenAI's SDKs ask for a model. Pure.

An alias means any engine that can do what is asked, an engine's name that engine, `engine/model` that model of it.
OpenAI ends these names on 2027-02-26; here they are names for whatever engine serves them, and go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from apikit.facade import FieldError, Problem
from speech.catalogue import FIRST_RELEASE, Catalogue, Lifecycle, engine_model, models_of
from speech.engines.ports import Capabilities
from speech.engines.registry import CLOUD_ENGINES, ENGINES

OWNER: Final = "parlance"


@dataclass(frozen=True, slots=True)
class Model:
    """What a name stands for: an engine or any, one of its models or its best, and whether speakers are labelled."""

    id: str
    owned_by: str = OWNER
    engine: str | None = None
    model: str = ""
    diarize: bool = False
    lifecycle: Lifecycle = FIRST_RELEASE


DIARIZE: Final = "gpt-4o-transcribe-diarize"
TELLS_LANGUAGES: Final = "gpt-transcribe"  # its answers list the languages that were heard
ALIASES: Final = {
    model.id: model
    for model in (
        Model("whisper-1"),
        Model("gpt-4o-transcribe"),
        Model("gpt-4o-mini-transcribe"),
        Model("gpt-4o-mini-transcribe-2025-12-15"),
        Model(DIARIZE, diarize=True),
        Model(TELLS_LANGUAGES),
    )
}


# Names under which text is spoken, by the engine of whatever voice fits.
SPEAKING: Final = tuple(Model(name) for name in ("tts-1", "tts-1-hd", "gpt-4o-mini-tts"))


def resolve(name: str, *, available: Sequence[Capabilities], known: Catalogue, today: date) -> Model:
    """What a request's `model` stands for; raises a `Problem` for a name that is unknown or past its time."""
    found = find(name, available=available, known=known)
    if found is None:
        raise unknown(name, available=available, known=known)
    if found.lifecycle.is_over(today=today):
        detail = found.lifecycle.farewell(name)
        raise Problem("model_shut_down", 404, detail, [FieldError("model", "model_shut_down", detail)])
    return found


def find(name: str, *, available: Sequence[Capabilities], known: Catalogue) -> Model | None:
    """The model of this name, whatever its state.

    >>> find("whisper-1", available=[], known={}).engine is None
    True
    """
    if name in ALIASES:
        return ALIASES[name]
    if name in {engine.name for engine in available}:
        return Model(name, owned_by=name, engine=name)
    of_engine = engine_model(name, available=available, known=known)
    if of_engine is None:
        return None
    return Model(
        name, owned_by=of_engine.engine, engine=of_engine.engine, model=of_engine.model, lifecycle=of_engine.lifecycle
    )


def unknown(name: str, *, available: Sequence[Capabilities], known: Catalogue) -> Problem:
    """There is no such model; the sentence lists those there are."""
    names = ", ".join(model.id for model in listed(available=available, known=known))
    detail = f"The model {name[:64]!r} does not exist. Models here: {names}."
    return Problem("unknown_model", 404, detail, [FieldError("model", "unknown_model", detail)])


def listed(*, available: Sequence[Capabilities], known: Catalogue) -> Iterator[Model]:
    """Every name: the aliases, the engines, and their models."""
    yield from ALIASES.values()
    names = [
        name for engine in available for name in (engine.name, *(model.id for model in models_of(engine, known=known)))
    ]
    yield from (model for name in names if (model := find(name, available=available, known=known)))


def speaking(engines: Iterable[str]) -> Iterator[Model]:
    """The names under which text is spoken, and the engines that do nothing else."""
    yield from SPEAKING
    yield from (Model(name, owned_by=name, engine=name) for name in engines if name not in {*ENGINES, *CLOUD_ENGINES})


def shown(model: Model) -> dict[str, Any]:
    """The object of GET /v1/models."""
    since = datetime.combine(model.lifecycle.since, time(), tzinfo=UTC)
    shutdown = model.lifecycle.shutdown
    return {
        "id": model.id,
        "object": "model",
        "created": int(since.timestamp()),
        "owned_by": model.owned_by,
        "shutdown_date": shutdown.isoformat() if shutdown else None,
    }
