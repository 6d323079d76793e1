"""Starting points that share one set-up: Django, logs, and the registries of job kinds."""

from __future__ import annotations

import os


def set_up(service: str) -> None:
    """Django and logs for a process of this name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from observe.facade import configure

    configure(service=service)
