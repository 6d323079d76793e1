"""Routes of uploads."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit import ids
from apikit.facade import not_found
from speech import queries, resources, uploads
from speech.answers import UploadOut
from speech.routes.shared import READ, WRITE, answer
from speech.schemas import UploadIn
from tenants.facade import ApiKeyAuth, caller_with

router = Router(auth=ApiKeyAuth(), tags=["uploads"])


@router.post("", response={201: UploadOut}, summary="Create an upload")
def create_upload(request: HttpRequest, body: UploadIn) -> HttpResponse:
    """A ticket to PUT one file, without a key: from a browser, a phone or a server."""
    caller = caller_with(request, WRITE)
    row, ticket = uploads.create_upload(
        caller, filename=body.filename, content_type=body.content_type, size_bytes=body.size_bytes,
        sha256=body.sha256 or "",
    )  # fmt: skip
    location = f"/v1/uploads/{ids.show(ids.UPLOAD, row.id)}"
    shown = resources.upload(row, ticket=ticket, status="pending")
    return answer(shown, status=201, headers={"Location": location})


@router.get("/{upload_id}", response={200: UploadOut}, summary="Get an upload")
def get_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Whether the file has arrived."""
    caller = caller_with(request, READ)
    parsed = ids.parse(ids.UPLOAD, upload_id)
    row = queries.find_upload(caller, parsed) if parsed else None
    if row is None:
        raise not_found("upload")
    return answer(resources.upload(row, ticket=None, status=queries.upload_status(row)))
