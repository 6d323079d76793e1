"""Routes of uploads."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit import ids
from apikit.facade import not_found
from speech import queries, resources, upload_states, uploads
from speech.answers import UploadOut
from speech.models import Upload
from speech.routes.shared import READ, WRITE, answer
from speech.schemas import UploadIn
from tenants.facade import ApiKeyAuth, Caller, caller_with

router = Router(auth=ApiKeyAuth(), tags=["uploads"])


@router.post("", response={201: UploadOut}, summary="Create an upload")
def create_upload(request: HttpRequest, body: UploadIn) -> HttpResponse:
    """A ticket to PUT one file, without a key: from a browser, a phone or a server. Above 100 MB it comes in parts."""
    caller = caller_with(request, WRITE)
    state = uploads.create_upload(
        caller, filename=body.filename, content_type=body.content_type, size_bytes=body.size_bytes,
        sha256=body.sha256 or "", part_bytes=body.part_size_bytes,
    )  # fmt: skip
    location = f"/v1/uploads/{ids.show(ids.UPLOAD, state.row.id)}"
    return answer(resources.upload(state), status=201, headers={"Location": location})


@router.get("/{upload_id}", response={200: UploadOut}, summary="Get an upload")
def get_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Whether the file has arrived, or which parts of it."""
    row = _found(caller_with(request, READ), upload_id)
    return answer(resources.upload(upload_states.state_of(row)))


@router.post("/{upload_id}/resume", response={200: UploadOut}, summary="Resume an upload")
def resume_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """New signed requests for what has not arrived, whatever became of the first ones."""
    row = _found(caller_with(request, WRITE), upload_id)
    return answer(resources.upload(uploads.resume_upload(row)))


@router.post("/{upload_id}/complete", response={200: UploadOut}, summary="Complete an upload")
def complete_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Joins the parts and compares size and SHA-256. The first transcription of an upload does it too."""
    caller = caller_with(request, WRITE)
    row = _found(caller, upload_id)
    return answer(resources.upload(uploads.complete_upload(caller, row)))


def _found(caller: Caller, upload_id: str) -> Upload:
    parsed = ids.parse(ids.UPLOAD, upload_id)
    row = queries.find_upload(caller, parsed) if parsed else None
    if row is None:
        raise not_found("upload")
    return row
