"""Routes of the web pages that may send uploads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from speech.answers import UploadOriginsOut
from speech.routes.shared import answer
from speech.schemas import UploadOriginsIn
from tenants import facade as tenants
from tenants.facade import ApiKeyAuth, caller_with

MANAGE = "uploads:manage"

router = Router(auth=ApiKeyAuth(), tags=["uploads"])


@router.get("", response={200: UploadOriginsOut}, summary="Get the origins of uploads")
def get_upload_origins(request: HttpRequest) -> HttpResponse:
    """From which web pages browsers may send to signed URLs."""
    caller = caller_with(request, MANAGE)
    return answer(_shown(tenants.upload_origins(caller.tenant_id)))


@router.put("", response={200: UploadOriginsOut}, summary="Replace the origins of uploads")
def set_upload_origins(request: HttpRequest, body: UploadOriginsIn) -> HttpResponse:
    """In force within seconds, for live and test keys and for uploads created before."""
    caller = caller_with(request, MANAGE)
    stored = tenants.set_upload_origins(caller.tenant_id, body.origins, actor=str(caller.key_id))
    return answer(_shown(stored))


def _shown(origins: Sequence[str]) -> dict[str, Any]:
    return {"object": "upload_origins", "origins": list(origins)}
