"""What the SDK and httpx beneath it write to logs: no key, text or query."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

log = logging.getLogger("parlance")
_ours: ContextVar[bool] = ContextVar("parlance_ours", default=False)


class _WithoutQuery(logging.Filter):
    """httpx writes whole URLs, but those of files are signed: whoever reads the query may fetch the file."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _ours.get() and isinstance(record.args, tuple):
            record.args = tuple(_shortened(one) for one in record.args)
        return True


def _shortened(argument: object) -> object:
    return argument.copy_with(query=None) if isinstance(argument, httpx.URL) else argument


logging.getLogger("httpx").addFilter(_WithoutQuery())


@contextmanager
def quiet() -> Iterator[None]:
    """Around requests of the SDK; those of the rest of the program are logged as ever."""
    before = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(before)


def set_up_logging() -> None:
    """`PARLANCE_LOG=debug` (or info) writes what the SDK does to standard error."""
    level = os.environ.get("PARLANCE_LOG", "").upper()
    if level in {"DEBUG", "INFO"}:
        log.setLevel(level)
        if not log.handlers:
            log.addHandler(logging.StreamHandler())
