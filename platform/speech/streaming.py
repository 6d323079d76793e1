"""Following a transcription as it is heard, for every surface that streams. Nothing is held while nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

from django.db import InterfaceError, OperationalError

from apikit.threads import in_request_thread
from dispatch.facade import TERMINAL, waiter
from observe.facade import get_logger
from speech import resources
from speech.queries import Found
from speech.reading import Place, Reading, read_on
from speech.transcript import Segment
from storage.facade import StorageUnavailable
from tenants.facade import Caller

HEARTBEAT_S = 15.0  # proxies cut connections that are silent for 30 s and more
RETRY_S = 2.0
RESTARTING = (OperationalError, InterfaceError, StorageUnavailable)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What is new of a job: its state, how much was heard, segments never told before, and at its end the result.

    `found` is the job as it was read; its transcript is there only in `final`. A deleted job has neither.
    """

    state: str
    progress: dict[str, int] | None = None
    segments: tuple[Segment, ...] = ()
    final: Found | None = None
    heartbeat: bool = False
    found: Found | None = None


async def follow(
    caller: Caller, job_id: UUID, *, seen: int = 0, heartbeat_s: float = HEARTBEAT_S
) -> AsyncGenerator[News, None]:
    """News until the job has ended, with the segments from number `seen` on; a heartbeat after so long a silence.

    First comes the job as it is, last its `final`; a job that is deleted meanwhile ends in the state `deleted`.
    """
    place, told, clock = Place(), News(""), asyncio.get_running_loop().time
    with waiter.following(job_id) as follower:
        while True:
            reading = await _read(caller, job_id, place)
            news = _news(reading, seen=seen)
            if news.segments or news.final or (news.state, news.progress) != (told.state, told.progress):
                yield news
                told, silent_until_s = News(news.state, news.progress), clock() + heartbeat_s
            if reading is None or news.final is not None:
                return
            follower.note(reading.found.job)
            place, more = reading.place, reading.more
            del reading, news  # an idle follower holds no text
            while not more and not await follower.change(timeout_s=silent_until_s - clock()):
                yield News(told.state, heartbeat=True)
                silent_until_s = clock() + heartbeat_s


async def _read(caller: Caller, job_id: UUID, place: Place) -> Reading | None:
    """Read on, and again while the database or the store restarts: no stream ends for that."""
    while True:
        try:
            return await in_request_thread(read_on, caller, job_id, place=place)
        except RESTARTING as error:
            log.warning("stream_read_failed", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)


def _news(reading: Reading | None, *, seen: int) -> News:
    if reading is None:
        return News("deleted")
    found = reading.found
    return News(
        found.job.state,
        resources.progress(found.job, channels=found.request.media.get("heard_channels", 1)),
        tuple(segment for segment in reading.segments if segment.id >= seen),
        final=found if found.job.state in TERMINAL else None,
        found=found,
    )
