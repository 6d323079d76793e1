"""Waits for a job to end: by long-poll, which holds one quiet connection, or by its events when progress is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from parlance._call import RequestOptions
from parlance._concurrency import sleep, tell
from parlance._errors import JobCanceled, JobFailed, JobNotCompleted, WaitTimedOut
from parlance._generated.models import Notice, Progress, Transcription
from parlance._sources import Progress as Told
from parlance._sources import ProgressCallback
from parlance._sync.resources.transcriptions import TranscriptionsResource

POLL_S = 30.0  # as long as one question may be held; proxies often cut at 60 s
SHORTEST_S = 0.2  # between two questions, should a server not hold them
PATIENCE = 20  # attempts, more than two minutes: a job outlives a restart of the server, so its waiter should too


class Job(Protocol):
    """What transcriptions and speech have in common."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def error(self) -> Notice | None: ...


JobT = TypeVar("JobT", bound=Job)
Get = Callable[[str, float, RequestOptions], JobT]


def ended(job: JobT, get: Get[JobT], *, timeout_s: float | None) -> JobT:
    """The job once it has ended; raises `WaitTimedOut`."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while job.status in {"queued", "running"}:
        left = POLL_S if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise WaitTimedOut(f"{job.id} has not ended after {timeout_s} s; it goes on.", job_id=job.id)
        asked = time.monotonic()
        job = get(job.id, max(1.0, min(left, POLL_S)), {"max_retries": PATIENCE})
        if time.monotonic() - asked < SHORTEST_S:
            sleep(SHORTEST_S)
    return job


def followed(
    transcriptions: TranscriptionsResource, job: Transcription, on_progress: ProgressCallback
) -> Transcription:
    """Tells how far it is, at its end too, and returns when it has ended."""
    before, stream = None, transcriptions.stream(job.id, options={"max_retries": PATIENCE})
    with stream:
        for event in stream:
            if isinstance(event.data, Transcription):
                job = event.data
            progress = _progress(event.data)
            if progress is not None and progress != before:
                tell(on_progress, progress)
                before = progress
    return job


def _progress(news: object) -> Told | None:
    found = news.progress if isinstance(news, Transcription) else news
    return Told("transcribing", found.done_ms, found.total_ms) if isinstance(found, Progress) else None


def completed(job: JobT) -> JobT:
    """The same job; raises `JobFailed` or `JobCanceled` when it ended otherwise."""
    if job.status == "completed":
        return job
    told = job.error
    kind: type[JobNotCompleted] = JobCanceled if job.status == "canceled" else JobFailed
    detail = told.detail if told is not None else f"The job is {job.status}."
    failed = kind(f"{job.id}: {detail}", code=told.code if told is not None else job.status, job=job)
    failed.docs_url = f"{job.url.partition('/v1/')[0]}/problems/{failed.code}"
    raise failed
