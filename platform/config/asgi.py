"""The ASGI application: `granian --interface asgi config.asgi:application`."""

from __future__ import annotations

import os

from config.handler import make_handler


def make_application() -> object:
    """Everything that answers HTTP, put together once per process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    handler = make_handler()
    from config.edge import make_front  # needs Django set up

    return make_front(handler)


application = make_application()
