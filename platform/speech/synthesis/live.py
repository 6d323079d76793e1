"""Speech sent while it is made: the inline lane's job, run by the web process that answers with it.

The item is leased to this process, so should it die, a worker speaks the text again and the customer finds the file at
the job. Each part is marked as read before its first sample leaves, so a client that goes away pays for what it got.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from apikit.threads import in_request_thread
from dispatch.facade import JobRow, Lease, LeaseLost, heart, mark_readable, park
from observe.facade import failpoint, get_logger
from speech.audio.encoders import EncodingFailed
from speech.audio.encoding import Encoder
from speech.contracts import NotCancelable
from speech.models import SpeechRequest
from speech.synthesis import cutting, ending, flow, joining
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.voices import speaking, voice_by_id
from speech.workspace import workspace
from tenants.facade import Caller

PART_CHARACTERS = 400  # what a client that leaves pays at most without having heard it
RETRY_S = 1
NOT_FETCHED_S = 30.0  # the answer's headers are sent at once, or never

log = get_logger(__name__)


@dataclass(slots=True)
class Live:
    """Speech under way: the first piece was made already, so that a refusal could still be an answer."""

    first: bytes
    rest: Iterator[bytes]
    begun_at: float


_begun: dict[UUID, Live] = {}


def begin(lease: Lease, job: JobRow, request: SpeechRequest) -> bool:
    """Speak up to the first piece of the file; False when the lease is gone. What fails for good fails the job."""
    _forget_old()
    pieces = _pieces(lease, job, request)
    try:
        first = next(pieces, b"")
    except SpeakFailed as error:
        _hand_on(lease, job, error)
        return False
    except LeaseLost:
        return False
    if not first:
        return False
    _begun[job.id] = Live(first, pieces, time.monotonic())
    return True


def _hand_on(lease: Lease, job: JobRow, error: SpeakFailed) -> None:
    """What may pass is tried again by a worker, for which the answer can wait; what lasts fails the job."""
    if error.kind == "transient":
        park(lease, at_most_s=RETRY_S)
    else:
        ending.ENDS.fail(job.id, job.tenant_id, error.code, error.detail)


async def audio_stream(caller: Caller, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """The file's pieces (the stream kind `audio`); leaving early cancels the job."""
    live = _begun.pop(job_id)
    try:
        yield live.first
        while piece := await in_request_thread(next, live.rest, b""):
            yield piece
    finally:
        await in_request_thread(_close, live.rest)


def _close(pieces: Iterator[bytes]) -> None:
    pieces.close()  # type: ignore[attr-defined]  # a generator


def _forget_old() -> None:
    """Clients that were gone before their answer began: a worker takes over when the lease has run out."""
    for job_id, live in list(_begun.items()):
        if time.monotonic() - live.begun_at > NOT_FETCHED_S:
            del _begun[job_id]
            _close(live.rest)


def _pieces(lease: Lease, job: JobRow, request: SpeechRequest) -> Iterator[bytes]:
    """The file as it is made, kept on the way, and the job's end; without its end, its cancel."""
    finished = False
    try:
        with heart.keep(lease), workspace() as folder:
            path = folder / "audio"
            samples = yield from _speak(lease, job, request, path=path)
            if request.format == "wav":
                joining.set_wav_length(path)
            rate_hz = voice_by_id(request.voice).sample_rate_hz
            ending.complete(lease, job, request, file=path, duration_ms=samples * 1000 // rate_hz)
            finished = True
            failpoint("finish.committed")
    except SpeakFailed:
        finished = True  # in the middle of the file, the lease runs out and a worker makes it whole
        raise
    except EncodingFailed:
        finished = True
        detail = "The encoder stopped. It is tried again."
        raise SpeakFailed(kind="transient", code="encoder_died", detail=detail) from None
    finally:
        if not finished:
            _abandon(job)


def _speak(lease: Lease, job: JobRow, request: SpeechRequest, *, path: Path) -> Generator[bytes, None, int]:
    """Pieces of the file; returns how many samples were spoken."""
    voice, samples = voice_by_id(request.voice), 0
    encoder = Encoder(joining.format_of(request), rate_in=voice.sample_rate_hz, rate_out=request.sample_rate_hz)
    with path.open("wb") as file, encoder:
        for part in parts(request):
            begun = False
            for chunk in joining.eased(flow.spoken(lease, request, part.text), rate_hz=voice.sample_rate_hz):
                samples += len(chunk) // 2
                piece = encoder.feed(chunk)
                file.write(piece)
                if piece and not begun:
                    mark_readable(job.id, readable_ms=_spoken_until(request, part))
                    begun = True
                    failpoint("live.read")
                if piece:
                    yield piece
        for piece in encoder.finish():
            file.write(piece)
            if piece:
                yield piece
    return samples


def parts(request: SpeechRequest) -> list[cutting.Part]:
    """The text in pieces so short that who leaves has heard about what it pays for."""
    if request.is_ssml:
        return [cutting.Part(0, len(request.voiced), request.voiced)]
    most = min(PART_CHARACTERS, speaking(request.engine).max_characters)
    return cutting.cut(request.voiced, max_chars=most)


def _spoken_until(request: SpeechRequest, part: cutting.Part) -> int:
    """Characters of the text as it was sent, up to the end of a part as it is said; SSML is one part."""
    return request.characters if request.is_ssml else part.end * request.characters // len(request.voiced)


def _abandon(job: JobRow) -> None:
    try:
        ending.ENDS.cancel(job.id)
    except NotCancelable:
        log.info("speech_ended_elsewhere", job_id=str(job.id))
