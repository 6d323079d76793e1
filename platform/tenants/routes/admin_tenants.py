"""`/v1/admin/tenants`: the operator makes tenants, looks at them, and suspends, resumes and closes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import connections
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apikit import ids
from apikit.facade import MAX_LIMIT, FieldError, Problem, decode_cursor, not_found, page
from tenants import closing, services, shown
from tenants.http import OperatorAuth, operator_of
from tenants.models import Tenant
from tenants.routes.admin_schemas import NewTenantOut, TenantCloseIn, TenantIn, TenantListOut, TenantOut

OWNER, SYSTEM = "owner", "system"

router = Router(auth=OperatorAuth(), tags=["operators"])


@router.post("", response={201: NewTenantOut}, operation_id="create_tenant")
def create(request: HttpRequest, body: TenantIn, response: HttpResponse) -> Any:
    """Make a tenant with its first live and test key. The keys are in this answer and nowhere else."""
    with _as_owner():
        try:
            made, live, test = services.create_tenant_with_keys(
                body.name, currency=body.currency, time_zone=body.time_zone, actor=operator_of(request).actor
            )
        except ValueError as error:
            field = "currency" if body.currency in str(error) else "time_zone"
            raise Problem("invalid_request", 422, str(error), [FieldError(field, "unknown", str(error))]) from None
    tenant = shown.tenant(Tenant.objects.using(SYSTEM).get(pk=made.id))
    response["Location"] = f"/v1/admin/tenants/{tenant['id']}"
    response["Cache-Control"] = "no-store"
    return 201, {**tenant, "api_key": live.secret, "test_api_key": test.secret}


@router.get("", response=TenantListOut, operation_id="list_tenants")
def list_tenants(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
    cursor: str | None = None,
    status: Literal["active", "suspended", "closed"] | None = None,
    name: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Exactly this name.")] = None,
) -> Any:
    """Tenants, closed ones too, newest first."""
    rows = Tenant.objects.using(SYSTEM).order_by("-id")
    before = decode_cursor(cursor) if cursor else None
    wanted = {"id__lt": before, "status": status, "name": name}
    rows = rows.filter(**{key: value for key, value in wanted.items() if value is not None})
    return page(list(rows[: limit + 1]), limit=limit, id_of=lambda row: row.id, shown=shown.tenant)


@router.get("/{tenant_id}", response=TenantOut, operation_id="get_tenant")
def get_tenant(request: HttpRequest, tenant_id: str) -> Any:
    """One tenant."""
    return shown.tenant(_found(tenant_id))


@router.post("/{tenant_id}/suspend", response=TenantOut, operation_id="suspend_tenant")
def suspend(request: HttpRequest, tenant_id: str) -> Any:
    """Refuse new work from now on; what runs ends, and reading goes on. Of a suspended tenant it changes nothing."""
    found = _open(tenant_id)
    with _as_owner():
        services.suspend(found.id, actor=operator_of(request).actor)
    return shown.tenant(_open(tenant_id))


@router.post("/{tenant_id}/resume", response=TenantOut, operation_id="resume_tenant")
def resume(request: HttpRequest, tenant_id: str) -> Any:
    """A suspended tenant may start work again. Of an active tenant it changes nothing."""
    found = _open(tenant_id)
    with _as_owner():
        services.resume(found.id, actor=operator_of(request).actor)
    return shown.tenant(_open(tenant_id))


@router.post("/{tenant_id}/close", response=TenantOut, operation_id="close_tenant")
def close(request: HttpRequest, tenant_id: str, body: TenantCloseIn) -> Any:
    """End all keys and webhook endpoints for good, and erase the content after the grace; ledger, register of jobs and
    audit log stay. Closing a second time changes nothing."""
    found = _found(tenant_id)
    with _as_owner():
        closing.close(found.id, grace=timedelta(days=body.grace_days), actor=operator_of(request).actor)
    return shown.tenant(_found(tenant_id))


def _found(shown_id: str) -> Tenant:
    parsed: UUID | None = ids.parse(ids.TENANT, shown_id)
    row: Tenant | None = Tenant.objects.using(SYSTEM).filter(pk=parsed).first() if parsed else None
    if row is None:
        raise not_found("tenant")
    return row


def _open(shown_id: str) -> Tenant:
    row = _found(shown_id)
    if row.status == Tenant.Status.CLOSED:
        raise Problem("tenant_ended", 409, "This tenant is closed, which is for good. Create another one.")
    return row


@contextmanager
def _as_owner() -> Iterator[None]:
    """Making schemas and ending keys needs the owner's rights; no thread that serves tenants keeps its connection."""
    try:
        yield
    finally:
        connections[OWNER].close()
