"""Followers of a job: woken at once by a notice, within a second without one, and never for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from apikit.threads import in_request_thread
from dispatch import broker, notices
from dispatch.facade import get_job
from dispatch.waiting import Follower, JobWaiter
from speech import streaming
from speech.streaming import News, follow
from tenants.facade import tenant_context
from tests.streams.test_reading import Work

SOON_S = 20.0  # a busy machine; what is awaited comes within a fraction of it
NEVER_S = 0.3


@pytest.fixture
def quick_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "POLL_S", 0.05)


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "POLL_S", 3600.0)


@pytest.fixture
def work(alice: Any) -> Work:
    return Work(alice.caller)


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/redis.sock")


def run(test: Callable[[JobWaiter], Awaitable[None]]) -> None:
    """On an event loop of its own, whose background tasks end with it."""

    async def whole() -> None:
        await test(JobWaiter())
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run(whole())


async def note(follower: Follower, work: Work) -> None:
    """The follower has read the job as it is."""
    with tenant_context(work.caller.tenant):
        job = await in_request_thread(get_job, work.id)
    assert job is not None
    follower.note(job)


CHANGES = [{"state": "canceled"}, {"segments_left": 3}, {"done_ms": 7}]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_without_a_notice_is_found_by_asking(
    work: Work, quick_poll: None, no_redis: None, change: dict[str, Any]
) -> None:
    async def test(waiter: JobWaiter) -> None:
        with waiter.following(work.id) as follower:
            await note(follower, work)
            assert not await follower.change(timeout_s=NEVER_S)
            await in_request_thread(work.set, **change)
            assert await follower.change(timeout_s=SOON_S)
            await note(follower, work)
            follower._news.clear()  # an answer that was on its way
            assert not await follower.change(timeout_s=NEVER_S)

    run(test)


def test_an_end_without_a_notice_ends_a_wait(work: Work, quick_poll: None, no_redis: None) -> None:
    async def test(waiter: JobWaiter) -> None:
        await in_request_thread(work.set, done_ms=5)
        assert not await waiter.wait(work.id, timeout_s=NEVER_S)
        await in_request_thread(work.set, state="completed")
        assert await waiter.wait(work.id, timeout_s=SOON_S)

    run(test)


@pytest.mark.parametrize(("channel", "waits"), [(broker.PROGRESS_CHANNEL, False), (broker.ENDED_CHANNEL, True)])
def test_a_notice_wakes_those_whom_it_concerns(work: Work, no_poll: None, channel: str, waits: bool) -> None:
    async def test(waiter: JobWaiter) -> None:
        with waiter.following(work.id) as follower:
            await note(follower, work)
            waiting = asyncio.create_task(waiter.wait(work.id, timeout_s=SOON_S))
            await asyncio.to_thread(publish_until_heard, channel, work.id)
            assert await follower.change(timeout_s=SOON_S)
            done, _ = await asyncio.wait({waiting}, timeout=NEVER_S)
            assert bool(done) is waits

    run(test)


def publish_until_heard(channel: str, job_id: UUID) -> None:
    """The subscription takes a moment; a message that nobody receives is gone."""
    ends_at = time.monotonic() + SOON_S
    while not broker.client().publish(channel, str(job_id)):
        assert time.monotonic() < ends_at, "nobody subscribed"


def test_whoever_leaves_is_forgotten(work: Work, no_poll: None, no_redis: None) -> None:
    async def test(waiter: JobWaiter) -> None:
        with waiter.following(work.id), waiter.following(work.id):
            assert len(waiter._followers[work.id]) == 2
        assert not await waiter.wait(work.id, timeout_s=0.01)
        assert not waiter._followers

    run(test)


async def _next(news: AsyncGenerator[News, None]) -> News:
    return await asyncio.wait_for(anext(news), SOON_S)


def test_silence_is_broken_by_heartbeats_and_news_end_it(
    work: Work, quick_poll: None, no_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(waiter: JobWaiter) -> None:
        monkeypatch.setattr(streaming, "waiter", waiter)
        async with contextlib.aclosing(follow(work.caller, work.id, heartbeat_s=0.1)) as news:
            assert (await _next(news)).state == "running"
            assert [(await _next(news)).heartbeat for _ in range(3)] == [True] * 3
            await in_request_thread(work.hear, 0)
            await in_request_thread(work.set, done_ms=1_000)
            told = await until(news, lambda each: bool(each.segments))
            assert [segment.text for segment in told.segments] == ["part 0"]
            await in_request_thread(work.set, state="failed")
            last = await until(news, lambda each: each.final is not None)
            assert last.state == "failed"
            with pytest.raises(StopAsyncIteration):
                await _next(news)
        assert not waiter._followers

    run(test)


def test_a_database_that_restarts_ends_no_stream(
    work: Work, quick_poll: None, no_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    read_on, failures = streaming.read_on, [OperationalError("gone")] * 2

    def sometimes(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return read_on(*given, **named)

    async def test(waiter: JobWaiter) -> None:
        monkeypatch.setattr(streaming, "waiter", waiter)
        monkeypatch.setattr(streaming, "RETRY_S", 0.01)
        monkeypatch.setattr(streaming, "read_on", sometimes)
        async with contextlib.aclosing(follow(work.caller, work.id)) as news:
            assert (await _next(news)).state == "running"
        assert failures == []

    run(test)


async def until(news: AsyncGenerator[News, None], wanted: Callable[[News], bool]) -> News:
    """The first of its kind; what comes before says nothing here."""
    while not wanted(each := await _next(news)):
        pass
    return each
