"""The only door to `console`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.finance.app import PREFIX, FinanceApp
from console.finance.roles import ROLES
from console.members.routes import router as members_router

if TYPE_CHECKING:
    from console.finance.people import invite

__all__ = ["PREFIX", "ROLES", "FinanceApp", "invite", "members_router"]


def __getattr__(name: str) -> Any:
    if name == "invite":  # late: hashers and ciphers are loaded only where somebody is invited
        from console.finance.people import invite

        return invite
    raise AttributeError(name)
