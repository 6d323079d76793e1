"""Where a change comes from: set once at each entrance (request, command, page), read by every row of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

MAX_AGENT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts (a key's id, `operator`, or the system by itself), and from where: address, program, request, mode.

    `livemode` None: neither live nor test.
    """

    actor: str = "system"
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    livemode: bool | None = None


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def origin() -> Origin:
    """The origin in force; `NOWHERE` for what the system does by itself."""
    return _origin.get()


def enter_origin(new: Origin) -> Token[Origin]:
    """From now on changes come from there; hand the token to `leave_origin`."""
    return _origin.set(new)


def leave_origin(token: Token[Origin]) -> None:
    """Back to what was in force before."""
    _origin.reset(token)


@contextmanager
def acting_from(new: Origin) -> Iterator[None]:
    """Inside, changes come from there."""
    token = enter_origin(new)
    try:
        yield
    finally:
        leave_origin(token)
