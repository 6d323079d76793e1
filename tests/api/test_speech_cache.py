"""Files of speech are the cache: they go when nobody uses them, or there are too many; row and objects together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from apikit import ids
from tests.api.calls import check_problem, tenant_uuid, usage
from tests.api.test_speech import say

DUE_NOW = "UPDATE due_date SET due_at = now() WHERE kind = %s AND subject_id = %s"


@pytest.fixture
def own(stack: Stack, request: pytest.FixtureRequest) -> Tenant:
    return stack.tenant(f"cache {request.node.name[:150]}")


class Files:
    """A tenant's files as the database knows them."""

    def __init__(self, database: psycopg.Connection[Any], tenant: Tenant) -> None:
        self._database = database
        self.tenant_id = tenant_uuid(tenant)
        self._table = f'"t_{self.tenant_id.hex}".spoken_audio'

    def unused_for(self, answer: httpx.Response, *, days: int) -> None:
        self._database.execute(
            f"UPDATE {self._table} SET used_at = now() - %s * interval '1 day' WHERE job_id = %s",
            [days, job_of(answer)],
        )

    def fall_due(self, kind: str, subject_id: UUID) -> None:
        until_true(lambda: self._database.execute(DUE_NOW, [kind, subject_id]).rowcount == 1)

    def due_in_days(self, subject_id: UUID) -> float:
        row = self._database.execute(
            "SELECT extract(epoch FROM due_at - now()) / 86400 FROM due_date WHERE kind = 'speech_file'"
            " AND subject_id = %s", [subject_id],
        ).fetchone()  # fmt: skip
        return float(row[0]) if row else 0.0


@pytest.fixture
def files(database: psycopg.Connection[Any], own: Tenant) -> Files:
    return Files(database, own)


def job_of(answer: httpx.Response) -> UUID:
    found = ids.parse(ids.SPEECH, answer.headers["x-parlance-speech-id"])
    assert found is not None
    return found


def until_true(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)  # the sweeper works by itself, and its work is all that can be seen of it


def is_gone(tenant: Tenant, answer: httpx.Response) -> bool:
    """Without fetching it, which would be a use."""
    return tenant.live.get(answer.headers["location"]).json()["audio"] is None


def test_a_file_that_nobody_uses_goes_and_is_made_anew(own: Tenant, files: Files) -> None:
    first = say(own, "nobody wants this any more", timings="word")
    shown = own.live.get(first.headers["location"]).json()
    billed = usage(own.live)
    files.unused_for(first, days=31)
    files.fall_due("speech_file", job_of(first))
    until_true(lambda: is_gone(own, first))
    assert httpx.get(shown["audio"]["download_url"], trust_env=False).status_code == 404
    for route in ("audio", "timings", "captions"):
        check_problem(own.live.get(f"{first.headers['location']}/{route}"), 410, "audio_expired")
    left = own.live.get(first.headers["location"]).json()
    assert (left["status"], left["audio"], left["cost"]) == ("completed", None, shown["cost"])
    assert usage(own.live) == billed
    assert say(own, "nobody wants this any more", timings="word").headers["x-parlance-cache"] == "miss"


def test_a_file_that_is_used_stays(own: Tenant, files: Files) -> None:
    first = say(own, "this is said again and again")
    files.unused_for(first, days=20)
    assert say(own, "this is said again and again").headers["x-parlance-cache"] == "hit"
    until_true(lambda: files.due_in_days(job_of(first)) > 0)
    files.fall_due("speech_file", job_of(first))
    until_true(lambda: 29 < files.due_in_days(job_of(first)) <= 30)
    assert not is_gone(own, first)


def test_beyond_the_limit_the_least_recently_used_go(stack: Stack, own: Tenant, files: Files) -> None:
    stack.parlance("tenant", "set", own.id, "--speech-keep-mb", "1")
    spoken = [say(own, f"{name} " * 50) for name in ("first", "second", "third")]  # 0.58 MB each
    kept_for_test = own.test.post("/v1/speech", json={"text": "a file of the other mode"})
    for answer, days in zip(spoken, (2, 3, 1), strict=True):
        files.unused_for(answer, days=days)
    files.fall_due("speech_room", files.tenant_id)
    until_true(lambda: is_gone(own, spoken[1]))
    until_true(lambda: is_gone(own, spoken[0]))
    assert not is_gone(own, spoken[2])
    assert own.test.get(f"{kept_for_test.headers['location']}/audio").status_code == 200
    assert say(own, "second " * 50).headers["x-parlance-cache"] == "miss"
