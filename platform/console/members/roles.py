"""What a member's role stands for: the scopes that a key must have to invite, change or remove such a member."""

from __future__ import annotations

from typing import Final, Literal, get_args

from tenants.facade import SCOPES

Role = Literal["owner", "admin", "developer", "billing", "viewer"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
OWNER: Final[Role] = "owner"
_WORK: Final = frozenset({"transcriptions", "speech", "uploads", "webhooks", "usage"})
SCOPES_OF: Final[dict[Role, frozenset[str]]] = {
    "owner": SCOPES,
    "admin": SCOPES - {"billing:manage"},
    "developer": frozenset(scope for scope in SCOPES if scope.partition(":")[0] in _WORK),
    "billing": frozenset({"usage:read", "billing:manage"}),
    "viewer": frozenset(scope for scope in SCOPES if scope.endswith(":read")),
}


def missing_for(role: str, scopes: frozenset[str]) -> list[str]:
    """The scopes of the role that a key with these lacks: nobody makes a person who may more than they may.

    >>> missing_for("billing", frozenset({"usage:read"}))
    ['billing:manage']
    """
    return sorted(next(given for known, given in SCOPES_OF.items() if known == role) - scopes)
