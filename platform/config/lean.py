"""Libraries without what they import and nobody uses here: about 10 MB less in a process, and a quicker start.

redis looks for OpenTelemetry's metrics, which are not collected here; structlog looks for rich, which only its console
needs; both say what they do without. django-ninja takes a signal of Django's from where tests look for it, and gets
the same signal from where it lives.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

from django.core import signals

_ABSENT: Final = cast(ModuleType, None)  # as the import system has it: importing the name is an ImportError
INSTEAD: Final[Mapping[str, ModuleType]] = {
    "opentelemetry.sdk.metrics": _ABSENT, "rich": _ABSENT, "django.test.signals": signals,
}  # fmt: skip
LIBRARIES: Final = ("structlog", "redis.asyncio", "ninja")


def import_libraries() -> None:
    """To be called once, before anything else imports them; what others import afterwards is the real thing."""
    with _standing_in(INSTEAD):
        for name in LIBRARIES:
            importlib.import_module(name)


@contextmanager
def _standing_in(instead: Mapping[str, ModuleType]) -> Iterator[None]:
    """Whatever is imported already stays as it is."""
    added = {name: module for name, module in instead.items() if name not in sys.modules}
    sys.modules.update(added)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]
