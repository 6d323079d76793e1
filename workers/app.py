"""Starting points that share one set-up: Django, logs, and the registries of job kinds."""

from __future__ import annotations

import os
import socket
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
    if service == "cli":
        _act_from_here()
    export_traces(service=service, endpoint=settings.OTLP_ENDPOINT, share=settings.TRACE_PERCENT / 100)


def _act_from_here() -> None:
    """The audit log tells who ran the command, and where."""
    from events.facade import Origin, enter_origin

    who = os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"
    enter_origin(Origin("operator", address="cli", user_agent=f"parlance {who}@{socket.gethostname()}"))


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
