"""A text spoken into a file by a thread of its own, while somebody else sends what is there of it.

The file is where the two meet: within a part no engine has to wait for a client, and a slow client takes no memory.
Before each part the thread waits until all but the last one was sent: what a client leaves behind costs little.
No connection of the database is held meanwhile (ADR 0004).
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apikit.threads import Threads, from_another_thread
from dispatch.facade import JobRow, Lease, Stretch
from speech.audio.encoding import Encoder
from speech.engines.speaking import SpeakingCapabilities
from speech.models import SpeechRequest
from speech.providers import speakers
from speech.synthesis import calling, cutting, flow, joining
from speech.synthesis.parts import parts_of
from speech.synthesis.voices import voice_by_id

PART_CHARACTERS: Final = 400  # what a client that leaves pays at most without having heard it
TICK_S: Final = 0.2  # how soon a thread that waits for a client sees that the job is over


class Crew:
    """Threads that speak, and how many texts they are at."""

    def __init__(self, count: int, *, name: str) -> None:
        self._threads = Threads(count, name=name)
        self._count = count
        self._busy = 0

    def has_room(self, *, expected: int) -> bool:
        """Whether one more text may begin, beside so many that are about to."""
        return self._busy + expected < self._count

    def start(self, work: Callable[[], None]) -> asyncio.Future[None]:
        """Have the work done. From the event loop's thread."""
        self._busy += 1
        done = self._threads.start(work)
        done.add_done_callback(self._leave)
        return done

    def _leave(self, _: object) -> None:
        self._busy -= 1


_HERE: Final = Crew(16, name="speaker")  # they share this process's core
_PROVIDERS: Final = Crew(64, name="provider-speaker")  # they do little but wait


def crew_for(able: SpeakingCapabilities) -> Crew | None:
    """Who may speak for an engine in a process that answers requests; nobody where it takes a core."""
    if able.executor:
        return _PROVIDERS
    return _HERE if able.in_process else None


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the file. Who has it has heard at most so many characters of the text."""

    data: bytes
    readable: int


class Making:
    """The file of one job under way. `samples`: so many were spoken."""

    def __init__(self, lease: Lease, job: JobRow, request: SpeechRequest, *, path: Path) -> None:
        self.path, self.samples = path, 0
        self._lease, self._job, self._request = lease, job, request
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()  # bytes, and what `Piece` says of them
        self._made = self._taken = 0  # bytes
        self._moved = threading.Condition()
        self._file = path.open("xb+", buffering=0)
        crew = crew_for(speakers()[request.engine].capabilities)
        assert crew is not None, "the job was not taken without asking for one"
        self._done = crew.start(self._run)

    async def take(self) -> Piece | None:
        """The next piece, None at the end. Raises what ended the making: `SpeakFailed`, `EncodingFailed` and others."""
        told = await self._told.get()
        if told is None:
            await self._done
            return None
        size, readable = told
        data = os.pread(self._file.fileno(), size, self._taken)
        with self._moved:
            self._taken += size
            self._moved.notify()
        return Piece(data, readable)

    async def end(self) -> None:
        """Return when the thread has stopped; once its lease is lost it does so soon."""
        await asyncio.wait([self._done])
        self._done.exception()  # `take` has told of it, or nobody asks any more
        self._file.close()

    def _run(self) -> None:
        try:
            self._make()
        finally:
            self._tell(None)

    def _make(self) -> None:
        request, rate_hz = self._request, voice_by_id(self._request.voice).sample_rate_hz
        with Encoder(joining.format_of(request), rate_in=rate_hz, rate_out=request.sample_rate_hz) as encoder:
            readable = before = 0
            for number, part in enumerate(parts(request)):
                self._wait_until_taken(before)
                before, readable = self._made, _spoken_until(request, part)
                with self._called(number, part) as call:
                    for samples in joining.eased(self._spoken(part, call), rate_hz=rate_hz):
                        self.samples += len(samples) // 2
                        self._keep(encoder.feed(samples), readable=readable)
                    from_another_thread(calling.note_alone, self._lease, self._job, call)
            for data in encoder.finish():
                self._keep(data, readable=readable)

    def _called(self, number: int, part: cutting.Part) -> AbstractContextManager[calling.Call]:
        span = Stretch(number, part.start, part.end, 0)
        return calling.called(self._lease, self._job, self._request, part=span, ask=from_another_thread)

    def _spoken(self, part: cutting.Part, call: calling.Call) -> Iterator[bytes]:
        return flow.spoken(self._lease, self._request, part.text, on_units=call.count)

    def _keep(self, data: bytes, *, readable: int) -> None:
        if data:
            self._file.write(data)
            self._made += len(data)
            self._tell((len(data), readable))

    def _tell(self, piece: tuple[int, int] | None) -> None:
        self._loop.call_soon_threadsafe(self._told.put_nowait, piece)

    def _wait_until_taken(self, size: int) -> None:
        with self._moved:
            while self._taken < size:
                self._lease.check()
                self._moved.wait(TICK_S)


def parts(request: SpeechRequest) -> list[cutting.Part]:
    """The text in pieces so short that who leaves has heard about what it pays for."""
    return parts_of(request, max_chars=PART_CHARACTERS)


def _spoken_until(request: SpeechRequest, part: cutting.Part) -> int:
    """Characters of the text as it was sent, up to the end of a part as it is said; SSML is one part."""
    return request.characters if request.is_ssml else part.end * request.characters // len(request.voiced)
