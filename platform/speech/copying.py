"""What is copied to a tenant's own bucket: a transcript as JSON, or a speech's file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from billing.facade import costs_of
from dispatch.facade import JobKind, JobKinds, JobRow, Lease, LeaseLost, get_job
from speech import resources
from speech.captions.render import render
from speech.contracts import KIND as TRANSCRIPTION
from speech.destinations import copies
from speech.destinations.copies import COPY, Request, Result
from speech.models import SpeechRequest, SpokenAudio, TranscriptionRequest
from speech.queries import read_transcript
from speech.steps import runner
from speech.synthesis import resources as speech_resources
from speech.synthesis.contracts import KIND as SPEECH
from storage.facade import store

# By kind of job: its request, what is copied, and the resource that events carry.
_Kind = tuple[Callable[[JobRow], Any], Callable[[JobRow], Result], Callable[[JobRow, Any], dict[str, Any]]]


def with_copies(kinds: JobKinds) -> JobKinds:
    """The same kinds of jobs, whose results can be copied to a destination after their end."""
    return {name: _with_copy(kind, _KINDS[name]) for name, kind in kinds.items()}


def _with_copy(kind: JobKind, of: _Kind) -> JobKind:
    run_copy = runner({COPY: partial(_copy, of)})
    return JobKind(
        run=lambda lease: run_copy(lease) if lease.step == COPY else kind.run(lease),
        fail=copies.failing(kind.fail, give_up=partial(_give_up, of)),
    )


def _copy(of: _Kind, lease: Lease, job: JobRow) -> list[Lease]:
    request_of, result, shown = of
    request: Request = request_of(job)
    return copies.run(lease, job, request, result=partial(result, job), shown=partial(shown, job, request))


def _give_up(of: _Kind, lease: Lease, code: str, detail: str) -> None:
    """The last attempt has failed; a job that was deleted meanwhile has nothing left to say."""
    job = get_job(lease.job_id)
    if job is None:
        raise LeaseLost
    request_of, _, shown = of
    request: Request = request_of(job)
    copies.end(lease, job, request, error={"code": code, "detail": detail}, shown=partial(shown, job, request))


def _transcript(job: JobRow) -> Result:
    transcript = read_transcript(job.id)
    assert transcript is not None, "the job is completed"
    return Result([render(transcript, format="json").encode()], "application/json")


def _audio(job: JobRow) -> Result:
    audio = SpokenAudio.objects.get(pk=job.id)
    return Result(store().open_range(audio.object_key), audio.content_type)


def _transcription_shown(job: JobRow, request: TranscriptionRequest) -> dict[str, Any]:
    return resources.transcription(job, request, cost=costs_of([(job.id, job.created_at)]).get(job.id))


def _speech_shown(job: JobRow, request: SpeechRequest) -> dict[str, Any]:
    cost = costs_of([(job.id, job.created_at)]).get(job.id)
    return speech_resources.speech(job, request, cost=cost, audio=SpokenAudio.objects.get(pk=job.id))


_KINDS: dict[str, _Kind] = {
    TRANSCRIPTION: (lambda job: TranscriptionRequest.objects.get(pk=job.id), _transcript, _transcription_shown),
    SPEECH: (lambda job: SpeechRequest.objects.get(pk=job.id), _audio, _speech_shown),
}
