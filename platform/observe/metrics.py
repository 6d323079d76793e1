"""Counting what happens. Costs nothing and loads nothing until a process is told to serve `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from observe.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a gauge, with the values of its labels in their order."""

    instrument: Instrument
    value: float
    labels: tuple[str, ...] = ()


Gauges = Callable[[], Iterable[Reading]]


class Sink(Protocol):
    """Where records go."""

    def record(self, instrument: Instrument, value: float, labels: Sequence[str]) -> None: ...


_sink: Sink | None = None


def is_on() -> bool:
    """Whether anybody looks at what is recorded."""
    return _sink is not None


def record(instrument: Instrument, value: float = 1.0, *labels: str) -> None:
    """Count `value` for these labels, in the instrument's order of them."""
    if _sink is not None:
        _sink.record(instrument, value, labels)


@contextmanager
def timed(instrument: Instrument, *labels: str) -> Iterator[Callable[[str], None]]:
    """Seconds of the block, under the labels and the outcome that is told last (`ok` unless the block says more)."""
    outcome, begun = "ok", time.monotonic()

    def tell(said: str) -> None:
        nonlocal outcome
        outcome = said

    try:
        yield tell
    except BaseException as error:
        outcome = str(getattr(error, "code", type(error).__name__)) if outcome == "ok" else outcome
        raise
    finally:
        record(instrument, time.monotonic() - begun, *labels, outcome)


def serve(*, port: int, address: str, gauges: Sequence[Gauges] = ()) -> None:
    """Answer `/metrics` on a port of its own from now on; does nothing for port 0."""
    global _sink
    if port == 0:
        return
    from observe.prometheus import Prometheus

    _sink = Prometheus.serving(port=port, address=address, gauges=gauges)
