"""The only door to `observe`."""

from observe import instruments
from observe.failpoints import failpoint
from observe.logs import configure, get_logger
from observe.metrics import Reading, is_on, record, timed
from observe.metrics import serve as serve_metrics
from observe.spans import Span, export_traces, is_traced, span
from observe.traces import traceparent_or_new

__all__ = [
    "Reading",
    "Span",
    "configure",
    "export_traces",
    "failpoint",
    "get_logger",
    "instruments",
    "is_on",
    "is_traced",
    "record",
    "serve_metrics",
    "span",
    "timed",
    "traceparent_or_new",
]
