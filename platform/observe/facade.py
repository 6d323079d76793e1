"""The only door to `observe`."""

from observe import instruments
from observe.failpoints import failpoint
from observe.logs import configure, get_logger
from observe.metrics import Reading, is_on, record, timed
from observe.metrics import serve as serve_metrics
from observe.traces import traceparent_or_new

__all__ = [
    "Reading",
    "configure",
    "failpoint",
    "get_logger",
    "instruments",
    "is_on",
    "record",
    "serve_metrics",
    "timed",
    "traceparent_or_new",
]
