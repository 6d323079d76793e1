"""The ASGI application: `granian --interface asgi config.asgi:application`."""

from __future__ import annotations

import os

from config.lean import import_libraries


def make_application() -> object:
    """Everything that answers HTTP, put together once per process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import_libraries()
    from config.handler import make_handler  # needs those libraries

    handler = make_handler()
    from config.edge import make_front  # needs Django set up

    return make_front(handler)


application = make_application()
