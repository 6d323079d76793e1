"""Decoders and engines of this process: each serves one caller at a time and is kept for the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from observe.facade import span, timed
from observe.instruments import ENGINE_SECONDS
from speech.audio.encoders import close_encoders
from speech.audio.media import Decoder
from speech.engines.ports import Capabilities, Quality, SpeechToText
from speech.engines.registry import ENGINES
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
_engines: dict[str, Pool[SpeechToText]] = {name: Pool(make) for name, make in ENGINES.items()}


@contextmanager
def lend_engine(name: str) -> Iterator[SpeechToText]:
    """An engine of this name, for one call."""
    with _engines[name].lend() as engine, span(f"{name} transcribe"), timed(ENGINE_SECONDS, name, "transcribe"):
        yield engine


def available() -> tuple[Capabilities, ...]:
    """What the engines here can do, in order of preference; the current tenant's own among them."""
    return tuple(engine.capabilities for engine in hearers().values()) + _local()


@lru_cache(maxsize=1)
def _local() -> tuple[Capabilities, ...]:
    return tuple(make().capabilities for make in ENGINES.values())


def engine_names() -> list[str]:
    """Every engine of this installation, hearing or speaking."""
    return list(dict.fromkeys([*hearers(), *ENGINES, *speakers()]))


def capabilities_of(name: str) -> Capabilities:
    """What one engine can do."""
    return next(engine for engine in available() if engine.name == name)


def quality_of(name: str) -> Quality | None:
    """What an engine's texts are worth; None for one that is gone. Asks no database: the event loop shows it too."""
    here = (*(engine.capabilities for engine in hearers_of_the_operator().values()), *_local())
    known = next((engine.quality for engine in here if engine.name == name), None)
    return known or ("production" if name in OWN_PROVIDERS else None)


def close_pools() -> None:
    """Give back all child processes and connections."""
    decoders.close()
    close_encoders()
    for engines in _engines.values():
        engines.close()
    shared: list[Closable] = [*hearers().values(), *speakers().values()]
    for engine in shared:
        engine.close()
