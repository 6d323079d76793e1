"""Routes of a tenant's own credentials at providers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit import ids
from apikit.facade import ProblemOut, not_found
from speech.models import ProviderCredential
from speech.own_credentials import services, telling
from speech.own_credentials.schemas import (
    ProviderCredentialDeletedOut,
    ProviderCredentialIn,
    ProviderCredentialListOut,
    ProviderCredentialOut,
    ProviderCredentialRotateIn,
)
from speech.routes.shared import answer
from tenants.facade import ApiKeyAuth, Caller, caller_with

MANAGE = "provider_credentials:manage"

router = Router(auth=ApiKeyAuth(), tags=["provider credentials"])


@router.post("", response={201: ProviderCredentialOut, 409: ProblemOut}, summary="Bring your own credentials")
def create_provider_credential(request: HttpRequest, body: ProviderCredentialIn) -> HttpResponse:
    """Tried at the provider first. From then on your jobs use them there, at the price of mode `byok`."""
    secret = body.secret.get_secret_value().strip()
    wanted = services.NewCredential(body.provider, secret, body.region, body.name)
    return answer(telling.shown(services.create(caller_with(request, MANAGE), wanted)), status=201)


@router.get("", response={200: ProviderCredentialListOut}, summary="List own credentials")
def list_provider_credentials(request: HttpRequest) -> HttpResponse:
    """One per provider at most; newest first."""
    rows = services.list_all(caller_with(request, MANAGE))
    shown = [telling.shown(row) for row in rows]
    return answer({"object": "list", "data": shown, "has_more": False, "next_cursor": None})


@router.get("/{credential_id}", response={200: ProviderCredentialOut}, summary="Get own credentials")
def get_provider_credential(request: HttpRequest, credential_id: str) -> HttpResponse:
    """Everything but the secret."""
    return answer(telling.shown(_found(caller_with(request, MANAGE), credential_id)))


@router.post("/{credential_id}/rotate", response={200: ProviderCredentialOut}, summary="Rotate own credentials")
def rotate_provider_credential(
    request: HttpRequest, credential_id: str, body: ProviderCredentialRotateIn
) -> HttpResponse:
    """The new secret is tried first; the old one stays in force when it is refused."""
    caller = caller_with(request, MANAGE)
    secret = body.secret.get_secret_value().strip()
    return answer(telling.shown(services.rotate(caller, _found(caller, credential_id), secret=secret)))


@router.post("/{credential_id}/check", response={200: ProviderCredentialOut}, summary="Check own credentials")
def check_provider_credential(request: HttpRequest, credential_id: str) -> HttpResponse:
    """One call at the provider that costs nothing."""
    caller = caller_with(request, MANAGE)
    return answer(telling.shown(services.check(caller, _found(caller, credential_id))))


@router.delete("/{credential_id}", response={200: ProviderCredentialDeletedOut}, summary="Delete own credentials")
def delete_provider_credential(request: HttpRequest, credential_id: str) -> HttpResponse:
    """Jobs then run on the operator's account again, where it has one."""
    caller = caller_with(request, MANAGE)
    services.delete(caller, _found(caller, credential_id))
    return answer({"id": credential_id, "object": "provider_credential", "deleted": True})


def _found(caller: Caller, shown_id: str) -> ProviderCredential:
    parsed = ids.parse(ids.PROVIDER_CREDENTIAL, shown_id)
    row = services.find(caller, parsed) if parsed else None
    if row is None:
        raise not_found("provider credential")
    return row
