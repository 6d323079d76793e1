"""Speech sent while it is made: the inline lane's job, run by the web process that answers with it.

The item is leased to this process, so should it die, a worker speaks the text again and the customer finds the file at
the job. Each part is marked as read before its first sample leaves, so a client that goes away pays for what it got.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from apikit.asgi import AnsweredLater
from apikit.threads import in_request_thread
from dispatch.facade import GiveUp, JobRow, Lease, LeaseLost, RetryLater, heart, mark_readable, park
from observe.facade import failpoint, get_logger
from speech.audio.encoders import EncodingFailed
from speech.calling import NotMade
from speech.contracts import NotCancelable
from speech.models import SpeechRequest
from speech.providers import speakers
from speech.synthesis import ending, failover, joining
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.making import Crew, Making, crew_for
from speech.synthesis.voices import voice_by_id
from speech.workspace import scratch

RETRY_S: Final = 1.0
NOT_FETCHED_S: Final = 30.0  # the answer's body is asked for at once, or never

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    """A job that this process holds and will speak."""

    lease: Lease
    job: JobRow
    request: SpeechRequest
    since_s: float = field(default_factory=time.monotonic)


_expected: dict[UUID, Live] = {}


def may_speak(request: SpeechRequest) -> bool:
    """Whether a text may be spoken by a process that answers requests, now: what takes a core is workers' work.

    So it is when as many texts are spoken here already as there are threads for. Times of words are further calls of
    a provider, after which nothing is left to be sent while it is made.
    """
    _forget_old()
    crew = _crew(request.engine)
    if crew is None or (request.timings and speakers()[request.engine].capabilities.executor):
        return False
    return crew.has_room(expected=sum(_crew(live.request.engine) is crew for live in _expected.values()))


def expect(lease: Lease, job: JobRow, request: SpeechRequest) -> None:
    """The job's audio will be asked for in a moment (`pieces`)."""
    _forget_old()
    _expected[job.id] = Live(lease, job, request)


def _crew(engine: str) -> Crew | None:
    return crew_for(speakers()[engine].capabilities)


def _forget_old() -> None:
    """Clients that were gone before their answer began: a worker takes over when the lease has run out."""
    for job_id, live in list(_expected.items()):
        if time.monotonic() - live.since_s > NOT_FETCHED_S:
            _expected.pop(job_id, None)


async def pieces(job_id: UUID) -> AsyncGenerator[bytes, None]:
    """The file as it is made; leaving early cancels the job. Raises `AnsweredLater` only before the first piece."""
    live = _expected.pop(job_id)
    with heart.keep(live.lease), scratch() as files:
        making = Making(live.lease, live.job, live.request, path=files.path("audio"))
        try:
            async with aclosing(_sent(live, making)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await making.end()


async def _sent(live: Live, making: Making) -> AsyncGenerator[bytes, None]:
    readable, ended = 0, False
    try:
        while (piece := await making.take()) is not None:
            if piece.readable > readable:
                readable = piece.readable
                await in_request_thread(_mark, live.job.id, readable)
            yield piece.data
        await in_request_thread(_complete, live, making)
        ended = True
    except (SpeakFailed, NotMade, EncodingFailed, LeaseLost) as error:
        ended = True
        await in_request_thread(_hand_on, live, error)
        if readable:
            raise  # in the middle of the file: whoever reads it sees that it breaks off
        raise AnsweredLater from None
    finally:
        if not ended:
            live.lease.lost.set()  # so that the engine's call stops at its next piece
            await in_request_thread(_abandon, live.job)


def _mark(job_id: UUID, readable: int) -> None:
    mark_readable(job_id, readable_ms=readable)
    failpoint("live.read")


def _complete(live: Live, making: Making) -> None:
    if live.request.format == "wav":
        joining.set_wav_length(making.path)
    rate_hz = voice_by_id(live.request.voice).sample_rate_hz
    duration_ms = making.samples * 1000 // rate_hz
    ending.complete(live.lease, live.job, live.request, file=making.path, duration_ms=duration_ms)
    failpoint("finish.committed")


def _hand_on(live: Live, error: Exception) -> None:
    """Another voice takes over, a worker tries again, or the job fails; a lease that is lost is somebody else's."""
    try:
        if isinstance(error, SpeakFailed | NotMade):
            failover.after(error, live.lease, live.job, live.request)
        elif isinstance(error, EncodingFailed):
            park(live.lease, at_most_s=RETRY_S)
    except GiveUp as final:
        ending.ENDS.fail(live.job.id, live.job.tenant_id, final.code, final.detail, None)
    except RetryLater as later:
        park(live.lease, at_most_s=later.delay_s or RETRY_S)
    except LeaseLost:
        log.info("lease_lost", job_id=str(live.job.id), step=live.lease.step)


def _abandon(job: JobRow) -> None:
    try:
        ending.ENDS.cancel(job.id)
    except NotCancelable:
        log.info("speech_ended_elsewhere", job_id=str(job.id))
