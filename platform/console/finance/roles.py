"""Who may do what: data. Everybody may look and export; whoever asks for something does not decide about it."""

from __future__ import annotations

from typing import Final

REQUEST, CLOSE, APPROVE, PRICE, AUDIT = "request", "close", "approve", "price", "audit"
RIGHTS: Final[dict[str, frozenset[str]]] = {
    "viewer": frozenset(),
    "operator": frozenset({REQUEST, CLOSE}),
    "approver": frozenset({APPROVE}),
    "pricing_admin": frozenset({PRICE}),
    "auditor": frozenset({AUDIT}),
}
ROLES: Final = tuple(RIGHTS)


def rights_of(roles: list[str]) -> frozenset[str]:
    """All rights of the roles together; an unknown role has none.

    >>> sorted(rights_of(["operator", "approver"]))
    ['approve', 'close', 'request']
    """
    return frozenset().union(*(RIGHTS.get(role, frozenset()) for role in roles))
