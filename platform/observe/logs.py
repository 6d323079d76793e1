"""JSON logs to stderr through structlog: no text, audio, secret or URL query ever gets in.

Keys named like content or secrets are masked, and anything that looks like an API key or a webhook secret is masked
wherever it stands.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_MASK = "[redacted]"
_NEVER = frozenset({"text", "transcript", "audio", "body", "secret", "api_key", "password", "authorization", "prompt"})
_SECRET = re.compile(r"parl_(live|test)_\w+|wh(sec|sk)_[\w+/=]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_URL_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']*")


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what must not be logged, by name and by look.

    >>> redact(None, "", {"event": "PUT https://h/p?sig=1", "text": "hello"})
    {'event': 'PUT https://h/p', 'text': '[redacted]'}
    """
    for key, value in event.items():
        if key in _NEVER:
            event[key] = _MASK
        elif isinstance(value, str):
            event[key] = _URL_QUERY.sub(r"\1", _SECRET.sub(_MASK, value))
    return event


def configure(*, service: str) -> None:
    """Send structlog and the standard library's logging through one JSON pipeline."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.INFO
    logging.raiseExceptions = False  # what a broken handler could not write, it would print raw to standard error
    logging.getLogger("django.request").setLevel(logging.ERROR)  # every 404 would be a line
    for noisy in ("httpx", "httpcore", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> Any:
    """A logger: `log.info("lease_expired", job_id=...)`; events are snake_case, facts are keywords."""
    return structlog.get_logger(name)
