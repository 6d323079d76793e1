"""Decoders and engines of this process: each serves one caller at a time and is kept for the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Generic, Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from observe.facade import span, timed
from observe.instruments import ENGINE_SECONDS
from speech.audio.encoders import close_encoders
from speech.audio.media import Decoder
from speech.engines.ports import Capabilities, Quality, SpeechToText
from speech.engines.registry import ENGINES
from speech.engines.whisper import Whisper, engine_name
from speech.engines.whisper_models import WEIGHTS, present
from speech.own_credentials.contracts import KINDS as OWN_PROVIDERS
from speech.providers import hearers, hearers_of_the_operator, speakers


class Closable(Protocol):
    def close(self) -> None: ...


Part = TypeVar("Part", bound=Closable)


class Pool(Generic[Part]):
    """Lends parts and makes a new one when all are lent; the executor's slots bound how many there can be."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._idle: list[Part] = []
        self._guard = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[Part]:
        with self._guard:
            part = self._idle.pop() if self._idle else None
        part = part or self._make()
        try:
            yield part
        finally:
            with self._guard:
                self._idle.append(part)

    def close(self) -> None:
        """Close every idle part."""
        with self._guard:
            idle, self._idle = self._idle, []
        for part in idle:
            part.close()


decoders: Pool[Decoder] = Pool(Decoder)


@lru_cache(maxsize=1)
def _engines() -> dict[str, Pool[SpeechToText]]:
    """Those of this installation: Whisper's models that are set up or whose weights lie here, and the built-in ones."""
    models = settings.WHISPER_MODELS or present(settings.WHISPER_DIR)
    unknown = [model for model in models if model not in WEIGHTS]
    if unknown:
        raise ImproperlyConfigured(f"PARLANCE_WHISPER_MODELS: no model {unknown[0]!r}. Models: {', '.join(WEIGHTS)}.")
    whispers: dict[str, Callable[[], SpeechToText]] = {engine_name(model): partial(Whisper, model) for model in models}
    return {name: Pool(make) for name, make in {**whispers, **ENGINES}.items()}


def whisper_engines() -> tuple[str, ...]:
    """Those that a Whisper pool serves, the preferred first."""
    return tuple(able.name for able in _local()[0])


def is_here(name: str) -> bool:
    """Whether it is an engine of ours, not a provider's."""
    return name in _engines()


@contextmanager
def lend_engine(name: str) -> Iterator[SpeechToText]:
    """An engine of this name, for one call."""
    with _engines()[name].lend() as engine, span(f"{name} transcribe"), timed(ENGINE_SECONDS, name, "transcribe"):
        yield engine


def available() -> tuple[Capabilities, ...]:
    """What the engines here can do, in order of preference; the current tenant's own among them.

    Who has set up a Whisper pool wants it used.
    """
    whispers, built_in = _local()
    return whispers + tuple(engine.capabilities for engine in hearers().values()) + built_in


@lru_cache(maxsize=1)
def _local() -> tuple[tuple[Capabilities, ...], tuple[Capabilities, ...]]:
    """Whisper's models, and the engines that are always there."""
    found: dict[str, Capabilities] = {}
    for name, engines in _engines().items():
        with engines.lend() as engine:
            found[name] = engine.capabilities
    whispers = tuple(able for name, able in found.items() if name not in ENGINES)
    return whispers, tuple(able for name, able in found.items() if name in ENGINES)


def engine_names() -> list[str]:
    """Every engine of this installation, hearing or speaking."""
    return list(dict.fromkeys([*hearers(), *_engines(), *speakers()]))


def capabilities_of(name: str) -> Capabilities:
    """What one engine can do."""
    return next(engine for engine in available() if engine.name == name)


def quality_of(name: str) -> Quality | None:
    """What an engine's texts are worth; None for one that is gone. Asks no database: the event loop shows it too."""
    here = (*(engine.capabilities for engine in hearers_of_the_operator().values()), *_local()[0], *_local()[1])
    known = next((engine.quality for engine in here if engine.name == name), None)
    return known or ("production" if name in OWN_PROVIDERS else None)


def close_pools() -> None:
    """Give back all child processes and connections."""
    decoders.close()
    close_encoders()
    for engines in _engines().values():
        engines.close()
    shared: list[Closable] = [*hearers().values(), *speakers().values()]
    for engine in shared:
        engine.close()
