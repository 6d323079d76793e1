"""Starting points that share one set-up: Django, logs, and the registries of job kinds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any


def set_up(service: str) -> None:
    """Django and logs for a process of this name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.conf import settings

    from observe.facade import configure, export_traces

    configure(service=service)
    export_traces(service=service, endpoint=settings.OTLP_ENDPOINT, share=settings.TRACE_PERCENT / 100)


def require_safe_database() -> None:
    """End the process with a clear line when the database's walls could be walked around."""
    from tenants.facade import UnsafeDatabase, check_database

    try:
        check_database()
    except UnsafeDatabase as error:
        raise SystemExit(f"refused to start: {error}") from None


def serve_metrics(*gauges: Callable[[], Iterable[Any]]) -> None:
    """Answer `/metrics` where a port was set."""
    from django.conf import settings

    from observe.facade import serve_metrics

    serve_metrics(port=settings.METRICS_PORT, address=settings.METRICS_BIND, gauges=gauges)
