"""How a speech job begins, and begins anew with another voice."""

from __future__ import annotations

from typing import Final

from dispatch.facade import NewItem
from speech.contracts import MEDIA, PREPARE

PREPARE_COST_MS: Final = 20


def first_item() -> NewItem:
    """What every job begins with."""
    return NewItem(step=PREPARE, executor=MEDIA, cost_ms=PREPARE_COST_MS)
