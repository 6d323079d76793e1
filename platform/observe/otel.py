"""Spans through OpenTelemetry's SDK to an OTLP endpoint over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from observe.spans import Attribute, Span

_FORM = TraceContextTextMapPropagator()


@dataclass(slots=True)
class OtelSpan:
    """One of the SDK's spans, current in this context until it ends."""

    inner: trace.Span
    token: Any

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _FORM.inject(carrier, trace.set_span_in_context(self.inner))
        return carrier.get("traceparent", "")

    def set(self, **attributes: Attribute) -> None:
        self.inner.set_attributes(attributes)


class OtelTracer:
    """Implements `observe.spans.Tracer`; the caller's own sampling decision is kept."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("parlance")

    @classmethod
    def exporting(cls, *, service: str, endpoint: str, share: float) -> Self:
        """One that sends in batches from a thread of its own; a collector that is away costs only spans."""
        resource = Resource.create({"service.name": f"parlance-{service}"})
        provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(share)))
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider)

    def begin(self, name: str, *, parent: str, attributes: dict[str, Attribute]) -> OtelSpan:
        around = _FORM.extract({"traceparent": parent}) if parent else None
        inner = self._tracer.start_span(name, context=around, attributes=attributes, record_exception=False)
        return OtelSpan(inner, context.attach(trace.set_span_in_context(inner)))

    def end(self, span: Span, *, error: str) -> None:
        assert isinstance(span, OtelSpan)
        context.detach(span.token)
        if error:
            span.inner.set_status(trace.Status(trace.StatusCode.ERROR, error))
        span.inner.end()
