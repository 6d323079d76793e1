"""`/v1/api-keys`: a tenant makes, changes and ends keys of the calling key's mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import MAX_LIMIT, Problem, decode_cursor, not_found, page
from tenants import key_services, shown
from tenants.contracts import Caller, NewKey
from tenants.errors import WiderThanSelf
from tenants.http import ApiKeyAuth, caller_of, caller_with
from tenants.key_services import KeyChange
from tenants.models import ApiKey
from tenants.routes.key_schemas import (
    ApiKeyIn,
    ApiKeyListOut,
    ApiKeyOut,
    ApiKeyPatch,
    KeyRotationIn,
    NewApiKeyOut,
)

MANAGE = "api_keys:manage"
MAX_KEYS = 200  # living ones per tenant and mode

router = Router(auth=ApiKeyAuth(), tags=["api keys"])


@router.post("", response={201: NewApiKeyOut}, exclude_none=False, operation_id="create_api_key")
def create(request: HttpRequest, body: ApiKeyIn, response: HttpResponse) -> Any:
    """Make a key. `secret` is in this answer and nowhere else."""
    caller = caller_with(request, MANAGE)
    with _problems():
        _require_room(caller)
        made = key_services.create_key(
            caller.tenant_id, livemode=caller.livemode, scopes=body.scopes, name=body.name, ip_allow=body.ip_allow,
            expires_at=body.expires_at, routing=body.routing.policy(), limits=body.limits.rates(), by=caller,
            using=DEFAULT_DB_ALIAS,
        )  # fmt: skip
    return 201, _with_secret(made, response)


@router.get("", response=ApiKeyListOut, operation_id="list_api_keys")
def list_keys(
    request: HttpRequest, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20, cursor: str | None = None
) -> Any:
    """Keys of the calling key's mode, revoked ones too, newest first."""
    rows = _own(caller_with(request, MANAGE)).order_by("-id")
    before = decode_cursor(cursor) if cursor else None
    rows = rows.filter(id__lt=before) if before else rows
    return page(list(rows[: limit + 1]), limit=limit, id_of=lambda row: row.id, shown=shown.api_key)


@router.get("/current", response=ApiKeyOut, operation_id="get_current_api_key")
def get_current(request: HttpRequest) -> Any:
    """The calling key itself; needs no scope."""
    caller = caller_of(request)
    return shown.api_key(_own(caller).get(pk=caller.key_id))


@router.get("/{key_id}", response=ApiKeyOut, operation_id="get_api_key")
def get_key(request: HttpRequest, key_id: str) -> Any:
    """One key."""
    return shown.api_key(_found(caller_with(request, MANAGE), key_id))


@router.patch("/{key_id}", response=ApiKeyOut, operation_id="change_api_key")
def patch(request: HttpRequest, key_id: str, body: ApiKeyPatch) -> Any:
    """Rename a key, or change its rights within those of the calling key. In force at once."""
    caller = caller_with(request, MANAGE)
    row = _found(caller, key_id)
    limits = body.limits.rates() if body.limits is not None else None
    change = KeyChange(body.name, body.scopes, body.ip_allow, body.expires_at, limits)
    with _problems():
        changed = key_services.change_key(caller, row.id, change=change, using=DEFAULT_DB_ALIAS)
    if changed is None:
        raise _ended()
    return shown.api_key(changed)


@router.post("/{key_id}/rotate", response={201: NewApiKeyOut}, operation_id="rotate_api_key")
def rotate(request: HttpRequest, key_id: str, body: KeyRotationIn, response: HttpResponse) -> Any:
    """A new key with the same rights; the old one works for `overlap_hours` more."""
    caller = caller_with(request, MANAGE)
    row, overlap = _found(caller, key_id), timedelta(hours=body.overlap_hours)
    with _problems():
        made = key_services.rotate_key(row.id, overlap=overlap, by=caller, using=DEFAULT_DB_ALIAS)
    return 201, _with_secret(made, response)


@router.post("/{key_id}/revoke", response=ApiKeyOut, operation_id="revoke_api_key")
def revoke(request: HttpRequest, key_id: str) -> Any:
    """End a key now, in every process. A key may revoke itself; revoking a second time changes nothing."""
    caller = caller_with(request, MANAGE)
    row = _found(caller, key_id)
    key_services.revoke_key(row.id, actor=str(caller.key_id), using=DEFAULT_DB_ALIAS)
    return shown.api_key(_found(caller, key_id))


def _own(caller: Caller) -> Any:
    return ApiKey.objects.filter(tenant_id=caller.tenant_id, livemode=caller.livemode)


def _found(caller: Caller, shown_id: str) -> ApiKey:
    parsed: UUID | None = ids.parse(ids.API_KEY, shown_id)
    row: ApiKey | None = _own(caller).filter(pk=parsed).first() if parsed else None
    if row is None:
        raise not_found("API key")
    return row


def _with_secret(made: NewKey, response: HttpResponse) -> dict[str, Any]:
    response["Location"] = f"/v1/api-keys/{ids.show(ids.API_KEY, made.id)}"
    response["Cache-Control"] = "no-store"
    return {**shown.api_key(made.row), "secret": made.secret}


def _require_room(caller: Caller) -> None:
    if _own(caller).filter(revoked_at=None).count() >= MAX_KEYS:
        detail = f"There are {MAX_KEYS} living keys already. Revoke one that nobody uses (`last_used_at`)."
        raise Problem("too_many_keys", 422, detail)


def _ended() -> Problem:
    return Problem("key_ended", 409, "This key was revoked or replaced. Make a new one.")


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except WiderThanSelf as error:
        raise Problem(error.code, 422, str(error)) from None
    except ApiKey.DoesNotExist:
        raise _ended() from None
