"""From a request to an order: JSON as it stands, multipart as the front layer has taken it apart."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from pydantic import ValidationError

from apikit import ids
from apikit.facade import FieldError, Form, Problem, read_json, validation_problem
from apikit.idempotency import read_key
from observe.facade import traceparent_or_new
from speech.contracts import StoredFile, TranscriptionOrder
from speech.schemas import JsonTranscriptionIn, TranscriptionIn, clean_filename

FORM_KEY = "parlance.form"


def order_of(request: HttpRequest) -> TranscriptionOrder:
    """The checked order; raises a `Problem` that names every wrong field."""
    form: Form | None = getattr(request, "scope", {}).get(FORM_KEY)
    body = _from_form(form) if form else _from_json(request)
    return TranscriptionOrder(
        upload_id=_upload_id(body.upload_id),
        audio_url=body.audio_url,
        file=_file(form) if form else None,
        engine=body.engine,
        language=body.language,
        metadata=body.metadata,
        tags=tuple(body.tags),
        options={"simulate": body.simulate} if body.simulate else {},
        waited_for="wait=" in request.headers.get("Prefer", ""),
        traceparent=traceparent_or_new(request.headers.get("traceparent")),
    )


def idempotency_key(request: HttpRequest) -> str | None:
    """The request's `Idempotency-Key`, if any."""
    return read_key(request.headers.get("Idempotency-Key"))


def not_ready(state: str) -> Problem:
    """There is no transcript (yet)."""
    if state in {"queued", "running"}:
        return Problem("not_ready", 409, "The transcription is not completed yet. Ask again, or wait for its webhook.")
    return Problem("no_transcript", 409, f"The transcription is {state} and has no transcript.")


def _from_json(request: HttpRequest) -> TranscriptionIn:
    try:
        return JsonTranscriptionIn.model_validate(read_json(request.body))
    except ValidationError as error:
        raise validation_problem(error) from None


def _from_form(form: Form) -> TranscriptionIn:
    """Form fields are text: `metadata` holds a JSON object, `tags` repeats or separates by commas."""
    for repeated in (name for name, values in form.fields.items() if len(values) > 1 and name != "tags"):
        error = FieldError(repeated, "repeated", "Send it once.")
        raise Problem("invalid_request", 422, "A form field was sent twice.", [error])
    fields: dict[str, Any] = {name: values[0] for name, values in form.fields.items()}
    if "tags" in fields:
        fields["tags"] = [tag.strip() for value in form.fields["tags"] for tag in value.split(",") if tag.strip()]
    if "metadata" in fields:
        fields["metadata"] = _metadata(fields["metadata"])
    for forbidden in {"upload_id", "audio_url"} & fields.keys():
        error = FieldError(forbidden, "contradiction", "Leave it out when the file itself is sent.")
        raise Problem("invalid_request", 422, f"A file was sent, and {forbidden} too. Send one of them.", [error])
    if form.file is None:
        error = FieldError("file", "missing", "Send the recording as multipart field `file`.")
        raise Problem("invalid_request", 422, "The multipart body has no field `file`.", [error])
    try:
        return TranscriptionIn.model_validate(fields)
    except ValidationError as error:
        raise validation_problem(error) from None


def _metadata(text: str) -> Any:
    try:
        return read_json(text)
    except Problem:
        error = FieldError("metadata", "invalid_json", 'Send a JSON object of texts, such as {"order": "42"}.')
        raise Problem("invalid_request", 422, "metadata is not a JSON object.", [error]) from None


def _file(form: Form) -> StoredFile | None:
    if form.file is None:
        return None
    return StoredFile(
        object_key=form.file.object_key,
        filename=clean_filename(form.file.filename),
        content_type=form.file.content_type,
        size_bytes=form.file.size_bytes,
        sha256=form.file.sha256,
    )


def _upload_id(shown: str | None) -> Any:
    if shown is None:
        return None
    parsed = ids.parse(ids.UPLOAD, shown)
    if parsed is None:
        error = FieldError("upload_id", "not_found", "Use the id of an upload, such as upl_….")
        raise Problem("not_found", 404, "There is no such upload. Check upload_id.", [error])
    return parsed
