"""From a request to an order: JSON as it stands, multipart as the front layer has taken it apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from pydantic import ValidationError

from apikit import ids
from apikit.facade import FieldError, Form, Problem, read_json, validation_problem
from apikit.idempotency import read_key
from observe.facade import traceparent_or_new
from speech import choosing, contradictions, retention
from speech.contracts import StoredFile, TranscriptionOrder
from speech.destinations import services as destinations
from speech.options import Options
from speech.routing_schemas import policy_of, read_routing
from speech.schemas import JsonTranscriptionIn, OptionsIn, TranscriptionIn, clean_filename
from tenants.facade import Caller, RoutingPolicy

FORM_KEY = "parlance.form"
LISTS = frozenset({"tags", "languages", "redact_pii", "vocabulary"})
SPLIT_AT_COMMAS = frozenset({"tags", "languages", "redact_pii"})  # a term of the vocabulary may hold a comma


def order_of(request: HttpRequest, *, caller: Caller) -> TranscriptionOrder:
    """The checked order; raises a `Problem` that names every wrong field."""
    form = form_of(request)
    body = _from_form(form) if form else _from_json(request)
    reuse = body.reuse == "auto" if body.reuse else caller.policies.reuse
    kept = retention.asked(body.delete_after_s, caller=caller)
    return TranscriptionOrder(
        upload_id=_upload_id(body.upload_id),
        audio_url=body.audio_url,
        file=stored_file(form) if form else None,
        engine=body.engine,
        options=options_of(body),
        metadata=body.metadata,
        tags=tuple(body.tags),
        webhook_url=body.webhook_url,
        destination=destinations.named(caller, body.destination_id),
        delete_after_s=kept,
        reuse=reuse and kept != retention.ZERO,
        routing=routing_of(body),
        waited_for="wait=" in request.headers.get("Prefer", ""),
        traceparent=traceparent_or_new(request.headers.get("traceparent")),
    )


def form_of(request: HttpRequest) -> Form | None:
    """The multipart body, if it was one."""
    form: Form | None = getattr(request, "scope", {}).get(FORM_KEY)
    return form


def options_of(body: OptionsIn) -> Options:
    """The canonical options; raises a 422 `Problem` for wishes that contradict each other."""
    options = Options(
        language=body.language, languages=tuple(body.languages), model=body.model or "", task=body.task,
        diarize=body.diarize, speakers=body.speakers, min_speakers=body.min_speakers, max_speakers=body.max_speakers,
        speaker_scope=body.speaker_scope, multichannel=body.multichannel, word_timestamps=body.word_timestamps,
        vocabulary=tuple(body.vocabulary), prompt=body.prompt or "", profanity_filter=body.profanity_filter,
        redact_pii=tuple(body.redact_pii), audio_start_ms=body.audio_start_ms, audio_end_ms=body.audio_end_ms,
        speech_threshold=body.speech_threshold, simulate=body.simulate or "",
    )  # fmt: skip
    contradictions.check(options)
    return options


def routing_of(body: OptionsIn) -> RoutingPolicy:
    """What the order says about engines; raises a 422 `Problem` for an engine that nobody knows."""
    return policy_of(body.routing, engines=choosing.known_engines())


def idempotency_key(request: HttpRequest) -> str | None:
    """The request's `Idempotency-Key`, if any."""
    return read_key(request.headers.get("Idempotency-Key"))


def not_ready(state: str) -> Problem:
    """There is no transcript (yet)."""
    if state in {"queued", "running"}:
        return Problem("not_ready", 409, "The transcription is not completed yet. Ask again, or wait for its webhook.")
    return Problem("no_transcript", 409, f"The transcription is {state} and has no transcript.")


def stored_file(form: Form) -> StoredFile | None:
    """The form's file, as it stands in the store."""
    if form.file is None:
        return None
    return StoredFile(
        object_key=form.file.object_key,
        filename=clean_filename(form.file.filename),
        content_type=form.file.content_type,
        size_bytes=form.file.size_bytes,
        sha256=form.file.sha256,
        head=form.file.head,
        content=form.file.content,
    )


def _from_json(request: HttpRequest) -> TranscriptionIn:
    try:
        return JsonTranscriptionIn.model_validate(read_json(request.body))
    except ValidationError as error:
        raise validation_problem(error) from None


def _from_form(form: Form) -> TranscriptionIn:
    """Form fields are text: numbers and true/false in words, `metadata` as a JSON object, lists by repeating."""
    for repeated in (name for name, values in form.fields.items() if len(values) > 1 and name not in LISTS):
        error = FieldError(repeated, "repeated", "Send it once.")
        raise Problem("invalid_request", 422, "A form field was sent twice.", [error])
    fields: dict[str, Any] = {
        name: _list(name, values) if name in LISTS else values[0] for name, values in form.fields.items()
    }
    if "metadata" in fields:
        fields["metadata"] = _metadata(fields["metadata"])
    if "routing" in fields:
        fields["routing"] = read_routing(fields["routing"])
    for forbidden in {"upload_id", "audio_url"} & fields.keys():
        error = FieldError(forbidden, "contradiction", "Leave it out when the file itself is sent.")
        raise Problem("invalid_request", 422, f"A file was sent, and {forbidden} too. Send one of them.", [error])
    if form.file is None:
        error = FieldError("file", "missing", "Send the recording as multipart field `file`.")
        raise Problem("invalid_request", 422, "The multipart body has no field `file`.", [error])
    try:
        return TranscriptionIn.model_validate(fields, strict=False)
    except ValidationError as error:
        raise validation_problem(error) from None


def _list(name: str, values: list[str]) -> list[str]:
    if name not in SPLIT_AT_COMMAS:
        return values
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _metadata(text: str) -> Any:
    try:
        return read_json(text)
    except Problem:
        error = FieldError("metadata", "invalid_json", 'Send a JSON object of texts, such as {"order": "42"}.')
        raise Problem("invalid_request", 422, "metadata is not a JSON object.", [error]) from None


def _upload_id(shown: str | None) -> UUID | None:
    if shown is None:
        return None
    parsed = ids.parse(ids.UPLOAD, shown)
    if parsed is None:
        error = FieldError("upload_id", "not_found", "Use the id of an upload, such as upl_….")
        raise Problem("not_found", 404, "There is no such upload. Check upload_id.", [error])
    return parsed
