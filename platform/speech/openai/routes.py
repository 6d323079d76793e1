"""The routes that OpenAI's SDKs call: the same jobs as everywhere, waited for by the front layer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apikit import ids
from apikit.facade import not_found
from apikit.front import WAITED
from speech import choosing, inline, intake, queries, services
from speech.offers import current
from speech.openai import errors, models, orders, shapes, streaming
from speech.openai.answers import MULTIPART, RESPONSES, JsonOut, ModelListOut, ModelOut
from speech.options import Task
from speech.providers import speakers
from speech.retention import fetched_header, stream_query
from speech.routes.shared import (
    STREAM_HEADER,
    THEN_HEADER,
    WAIT_HEADER,
    WAIT_S_HEADER,
    WRITE,
    answer,
    find,
    job_id_of,
)
from tenants.facade import ApiKeyAuth, Caller, caller_with

audio = Router(auth=ApiKeyAuth(), tags=["openai"])
catalogue = Router(auth=ApiKeyAuth(), tags=["openai"])

WAIT_S = 600  # as long as OpenAI's SDKs wait
STREAM = "text/event-stream"


@audio.post(
    "/transcriptions",
    response={200: JsonOut},
    summary="Transcribe a recording, as OpenAI does",
    openapi_extra={"requestBody": MULTIPART["transcribe"], "responses": RESPONSES["transcribe"]},
)
def create_openai_transcription(request: HttpRequest) -> HttpResponse:
    """Answers when the text is there, in the format that was asked for."""
    return _create(request, task="transcribe")


@audio.post(
    "/translations",
    response={200: JsonOut},
    summary="Translate a recording to English, as OpenAI does",
    openapi_extra={"requestBody": MULTIPART["translate"], "responses": RESPONSES["translate"]},
)
def create_openai_translation(request: HttpRequest) -> HttpResponse:
    """Answers when the English text is there, in the format that was asked for."""
    return _create(request, task="translate")


@audio.get("/transcriptions/{transcription_id}", include_in_schema=False)
def get_openai_transcription(request: HttpRequest, transcription_id: str) -> HttpResponse:
    """The answer of a request that the front layer has waited with. For nobody else: it needs no right to read."""
    caller, job_id = caller_with(request, WRITE), job_id_of(transcription_id)
    if getattr(request, "scope", {}).get(WAITED) != str(job_id):
        raise not_found("path")
    found = find(caller, job_id)
    if found.job.state in {"queued", "running"}:
        raise errors.not_done(found)
    return _ended(found)


@catalogue.get("", response={200: ModelListOut}, summary="List models, as OpenAI does")
def list_models(request: HttpRequest) -> HttpResponse:
    """Aliases, engines, and the engines' models."""
    listed = (*models.listed(available=choosing.available(), known=current.catalogue()), *models.speaking(speakers()))
    known = [models.shown(model) for model in listed]
    return answer({"object": "list", "data": known})


@catalogue.get("/{path:model}", response={200: ModelOut}, summary="Get a model, as OpenAI does")
def get_model(request: HttpRequest, model: str) -> HttpResponse:
    """One model, also past its time; `shutdown_date` tells."""
    spoken = {one.id: one for one in models.speaking(speakers())}
    found = models.find(model, available=choosing.available(), known=current.catalogue()) or spoken.get(model)
    if found is None:
        raise models.unknown(model, available=choosing.available(), known=current.catalogue())
    return answer(models.shown(found))


def _create(request: HttpRequest, *, task: Task) -> HttpResponse:
    caller = caller_with(request, WRITE)
    order = orders.order_of(request, task=task, caller=caller)
    accepted, ended = inline.transcribe(caller, order, idempotency_key=intake.idempotency_key(request))
    response = _now(ended or _accepted(caller, accepted), streamed=order.streamed)
    if accepted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _now(found: queries.Found, *, streamed: bool) -> HttpResponse:
    """The answer of a job that has ended, or what the front layer needs to bring it."""
    if found.job.state not in {"queued", "running"}:
        return _ended(found)
    if streamed:
        headers = _to_wait_for(found) | {STREAM_HEADER: f"openai:{found.job.id}?{stream_query(found.request)}"}
        return HttpResponse(content_type=STREAM, headers=headers)
    return answer({}, status=202, headers=_to_wait_for(found))


def _accepted(caller: Caller, accepted: services.Accepted) -> queries.Found:
    """The job as it was just written, or read again when time has passed since."""
    if accepted.job is None or accepted.request is None or accepted.lease is not None:
        return find(caller, accepted.job_id)
    return queries.Found(accepted.job, accepted.request, None)


def _to_wait_for(found: queries.Found) -> dict[str, str]:
    """Tells the front layer to wait for the job's end and then to ask for the answer."""
    then = f"/v1/audio/transcriptions/{ids.show(ids.TRANSCRIPTION, found.job.id)}"
    told = {WAIT_HEADER: str(found.job.id), WAIT_S_HEADER: str(WAIT_S), THEN_HEADER: then}
    return told | errors.job_headers(found)


def _ended(found: queries.Found) -> HttpResponse:
    """The answer of a job that has ended; raises the `Problem` of one that brought no text."""
    if found.job.state != "completed" or found.transcript is None:
        raise errors.failure(found)
    headers: dict[str, Any] = errors.job_headers(found) | fetched_header(found.request, has_content=True)
    asked = found.request.presentation
    if asked.get("stream"):
        return HttpResponse(
            streaming.whole(found), content_type=STREAM, headers=headers | {"Cache-Control": "no-store"}
        )
    if asked["response_format"] in shapes.MEDIA_TYPES:
        body = shapes.text_body(found, found.transcript).encode()
        return HttpResponse(body, content_type=shapes.MEDIA_TYPES[asked["response_format"]], headers=headers)
    return answer(shapes.json_value(found, found.transcript), headers=headers)
