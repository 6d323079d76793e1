"""The only door to `observe`."""

from observe.failpoints import failpoint
from observe.logs import configure, get_logger
from observe.traces import traceparent_or_new

__all__ = ["configure", "failpoint", "get_logger", "traceparent_or_new"]
