"""Waiting for jobs to end, and following what they do: no thread and no database connection is held meanwhile.

Subscribe, then read, then wait: a notice that came while reading is not missed, and one that got lost costs a second.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from dispatch.contracts import JobRow
from dispatch.notices import Mark, Notices


class Follower:
    """One who waits for news of one job."""

    __slots__ = ("_known", "_news", "_only_end")

    def __init__(self, *, only_end: bool) -> None:
        self._only_end = only_end
        self._known: Mark | None = None
        self._news = asyncio.Event()

    def note(self, job: JobRow) -> None:
        """The job was read and looked like this: only what differs is news from now on."""
        self._known = Mark(job.state, job.segments_left, job.done_ms)

    async def change(self, *, timeout_s: float) -> bool:
        """True when there may be news: read again. False when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def hear(self, *, ended: bool) -> None:
        """A notice came."""
        if ended or not self._only_end:
            self._news.set()

    def compare(self, mark: Mark) -> None:
        """The job looks like this now."""
        if mark.ended if self._only_end else mark != self._known:
            self._news.set()


class JobWaiter:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._followers: dict[UUID, set[Follower]] = defaultdict(set)
        self._notices = Notices(wanted=self._followers.keys, on_notice=self._on_notice, on_mark=self._on_mark)

    async def wait(self, job_id: UUID, *, timeout_s: float) -> bool:
        """True when the job ended within the time, or had ended before."""
        with self._registered(job_id, Follower(only_end=True)) as follower:
            return await follower.change(timeout_s=timeout_s)

    @contextmanager
    def following(self, job_id: UUID) -> Iterator[Follower]:
        """From now on no change of the job is missed: read it, `note` it, await the next `change`."""
        with self._registered(job_id, Follower(only_end=False)) as follower:
            yield follower

    @contextmanager
    def _registered(self, job_id: UUID, follower: Follower) -> Iterator[Follower]:
        self._notices.start()
        self._followers[job_id].add(follower)
        try:
            yield follower
        finally:
            self._followers[job_id].discard(follower)
            if not self._followers[job_id]:
                del self._followers[job_id]

    def _on_notice(self, job_id: UUID, ended: bool) -> None:
        for follower in self._followers.get(job_id, ()):
            follower.hear(ended=ended)

    def _on_mark(self, job_id: UUID, mark: Mark) -> None:
        for follower in self._followers.get(job_id, ()):
            follower.compare(mark)


waiter = JobWaiter()
