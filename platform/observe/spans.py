"""Spans of a trace (https://www.w3.org/TR/trace-context/). Without an exporter's endpoint none are made.

Attributes are ids, names and codes: never text, a secret or a URL's query. An error is told by its code, for its
message could quote what must not leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

Attribute = str | int | float | bool


class Span(Protocol):
    """One piece of work under way."""

    @property
    def traceparent(self) -> str:
        """What whoever works on for it is given; "" when nothing is traced."""

    def set(self, **attributes: Attribute) -> None:
        """Say more about it."""


class Tracer(Protocol):
    """Where spans go."""

    def begin(self, name: str, *, parent: str, attributes: dict[str, Attribute]) -> Span: ...

    def end(self, span: Span, *, error: str) -> None: ...


class _Untraced:
    traceparent = ""

    def set(self, **attributes: Attribute) -> None:
        """Nobody is told."""


_UNTRACED = _Untraced()
_tracer: Tracer | None = None


def is_traced() -> bool:
    """Whether spans go anywhere."""
    return _tracer is not None


@contextmanager
def span(name: str, *, parent: str = "", **attributes: Attribute) -> Iterator[Span]:
    """The block as a span, below `parent` (a traceparent) or else below the span around it."""
    if _tracer is None:
        yield _UNTRACED
        return
    made, error = _tracer.begin(name, parent=parent, attributes=attributes), ""
    try:
        yield made
    except BaseException as raised:
        error = str(getattr(raised, "code", type(raised).__name__))
        raise
    finally:
        _tracer.end(made, error=error)


def export_traces(*, service: str, endpoint: str, share: float) -> None:
    """Send spans to an OTLP endpoint (`http://collector:4318`) from now on; does nothing without one."""
    global _tracer
    if not endpoint:
        return
    from observe.otel import OtelTracer

    _tracer = OtelTracer.exporting(service=service, endpoint=endpoint, share=share)
