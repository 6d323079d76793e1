"""How routes learn who calls: the front layer has put the `Caller` into the request's scope."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from apikit.facade import Problem
from tenants.contracts import Caller, Operator

SCOPE_KEY = "parlance.caller"
OPERATOR_SCOPE_KEY = "parlance.operator"


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer parl_live_…` (or `X-API-Key`). The check itself happened in front of Django."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        return getattr(request, "scope", {}).get(SCOPE_KEY)

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # pragma: no cover - __call__ replaces it
        raise NotImplementedError


class OperatorAuth(HttpBearer):
    """`Authorization: Bearer parl_op_…`: for `/v1/admin/` only, and the only kind there."""

    def __call__(self, request: HttpRequest) -> Operator | None:
        return getattr(request, "scope", {}).get(OPERATOR_SCOPE_KEY)

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # pragma: no cover - __call__ replaces it
        raise NotImplementedError


def operator_of(request: HttpRequest) -> Operator:
    """The operator who calls."""
    operator: Operator = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    return operator


def caller_of(request: HttpRequest) -> Caller:
    """The caller, whatever its key may do."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    return caller


def caller_with(request: HttpRequest, scope: str) -> Caller:
    """The caller, if the key has the scope; raises a 403 `Problem` that names it."""
    caller = caller_of(request)
    if scope not in caller.scopes:
        raise Problem("scope_missing", 403, f"This key lacks the scope {scope}. Use or create a key that has it.")
    return caller
