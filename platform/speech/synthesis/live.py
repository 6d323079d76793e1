"""Speech sent while it is made: the inline lane's job, run by the web process that answers with it.

The item is leased to this process, so should it die, a worker speaks the text again and the customer finds the file at
the job. Each part is marked as read before its first sample leaves, so a client that goes away pays for what it got.

Whoever waits for an engine is one of the few threads kept for that: neither a request's thread nor a database
connection waits. When all are taken, workers speak.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from apikit.threads import Threads, in_request_thread
from dispatch.facade import JobRow, Lease, LeaseLost, heart, mark_readable, park
from observe.facade import failpoint, get_logger
from speech.audio.encoders import EncodingFailed
from speech.audio.encoding import Encoder
from speech.contracts import NotCancelable
from speech.models import SpeechRequest
from speech.synthesis import cutting, ending, flow, joining
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.parts import parts_of
from speech.synthesis.voices import speaking, voice_by_id
from speech.workspace import workspace

PART_CHARACTERS = 400  # what a client that leaves pays at most without having heard it
RETRY_S = 1
NOT_FETCHED_S = 30.0  # the answer's body is asked for at once, or never
MAX_SPEAKERS = 16

log = get_logger(__name__)
_speakers = Threads(MAX_SPEAKERS, name="speaker")


class LeftToWorkers(Exception):
    """Nothing was sent, and the job is with workers now, or has ended: its file or its reason will be there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the file. Who has it has heard at most so many characters of the text."""

    data: bytes
    readable: int


@dataclass(slots=True)
class Live:
    """A job that this process holds and will speak; `samples` are those that were spoken."""

    lease: Lease
    job: JobRow
    request: SpeechRequest
    since_s: float = field(default_factory=time.monotonic)
    samples: int = 0


_expected: dict[UUID, Live] = {}
_under_way: set[UUID] = set()


def has_room() -> bool:
    """Whether one more text may be spoken here: beyond that, workers speak."""
    _forget_old()
    return len(_expected) + len(_under_way) < MAX_SPEAKERS


def may_speak(engine: str) -> bool:
    """Whether an engine may speak in a process that answers requests; a provider's calls are workers' work."""
    return speaking(engine).in_process and has_room()


def expect(lease: Lease, job: JobRow, request: SpeechRequest) -> None:
    """The job's audio will be asked for in a moment (`pieces`)."""
    _forget_old()
    _expected[job.id] = Live(lease, job, request)


def _forget_old() -> None:
    """Clients that were gone before their answer began: a worker takes over when the lease has run out."""
    for job_id, live in list(_expected.items()):
        if time.monotonic() - live.since_s > NOT_FETCHED_S:
            _expected.pop(job_id, None)


async def pieces(job_id: UUID) -> AsyncGenerator[bytes, None]:
    """The file as it is made; leaving early cancels the job. Raises `LeftToWorkers` only before the first piece."""
    live = _expected.pop(job_id)
    _under_way.add(job_id)
    try:
        with heart.keep(live.lease), workspace() as folder:
            async for piece in _sent(live, _Speaking(live, folder / "audio")):
                yield piece
    finally:
        _under_way.discard(job_id)


async def _sent(live: Live, spoken: _Speaking) -> AsyncGenerator[bytes, None]:
    readable, ended = 0, False
    try:
        while (piece := await _speakers.run(spoken.next)) is not None:
            if piece.readable > readable:
                readable = piece.readable
                await in_request_thread(_mark, live.job.id, readable)
            yield piece.data
        await in_request_thread(_complete, live, spoken.path)
        ended = True
    except (SpeakFailed, EncodingFailed, LeaseLost) as error:
        ended = True  # in the middle of the file the lease runs out, and a worker makes it whole
        if readable:
            raise
        await in_request_thread(_hand_on, live, error)
        raise LeftToWorkers from None
    finally:
        if not ended:
            live.lease.lost.set()  # so that the engine's call stops at its next piece
            await in_request_thread(_abandon, live.job)
        await _speakers.run(spoken.close)


class _Speaking:
    """The pieces of one file, made by one thread after the other; closing waits for the one that is at work."""

    def __init__(self, live: Live, path: Path) -> None:
        self.path = path
        self._pieces = _made(live, path)
        self._guard = threading.Lock()

    def next(self) -> Piece | None:
        with self._guard:
            return next(self._pieces, None)

    def close(self) -> None:
        with self._guard:
            self._pieces.close()


def _made(live: Live, path: Path) -> Generator[Piece, None, None]:
    """The file's pieces, kept on the way. No database is asked here."""
    request, voice = live.request, voice_by_id(live.request.voice)
    encoder = Encoder(joining.format_of(request), rate_in=voice.sample_rate_hz, rate_out=request.sample_rate_hz)
    readable = 0
    with path.open("wb") as file, encoder:
        for part in parts(request):
            readable = _spoken_until(request, part)
            for chunk in joining.eased(flow.spoken(live.lease, request, part.text), rate_hz=voice.sample_rate_hz):
                live.samples += len(chunk) // 2
                data = encoder.feed(chunk)
                file.write(data)
                if data:
                    yield Piece(data, readable)
        for data in encoder.finish():
            file.write(data)
            if data:
                yield Piece(data, readable)


def parts(request: SpeechRequest) -> list[cutting.Part]:
    """The text in pieces so short that who leaves has heard about what it pays for."""
    return parts_of(request, max_chars=PART_CHARACTERS)


def _spoken_until(request: SpeechRequest, part: cutting.Part) -> int:
    """Characters of the text as it was sent, up to the end of a part as it is said; SSML is one part."""
    return request.characters if request.is_ssml else part.end * request.characters // len(request.voiced)


def _mark(job_id: UUID, readable: int) -> None:
    mark_readable(job_id, readable_ms=readable)
    failpoint("live.read")


def _complete(live: Live, path: Path) -> None:
    if live.request.format == "wav":
        joining.set_wav_length(path)
    rate_hz = voice_by_id(live.request.voice).sample_rate_hz
    ending.complete(live.lease, live.job, live.request, file=path, duration_ms=live.samples * 1000 // rate_hz)
    failpoint("finish.committed")


def _hand_on(live: Live, error: SpeakFailed | EncodingFailed | LeaseLost) -> None:
    """What may pass is tried again by a worker; what lasts fails the job; a lease that is lost is somebody else's."""
    if isinstance(error, SpeakFailed) and error.kind == "permanent":
        ending.ENDS.fail(live.job.id, live.job.tenant_id, error.code, error.detail)
    elif not isinstance(error, LeaseLost):
        park(live.lease, at_most_s=RETRY_S)


def _abandon(job: JobRow) -> None:
    try:
        ending.ENDS.cancel(job.id)
    except NotCancelable:
        log.info("speech_ended_elsewhere", job_id=str(job.id))
