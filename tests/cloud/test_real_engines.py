"""Whole jobs on the providers' engines, each with its fake: text, bill, what is kept, and who brings results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import override_settings

from speech import callbacks, pools, providers
from speech.delivering import deliver
from speech.engines import deepgram
from speech.engines.providers import DeepgramSettings
from tenants.facade import tenant_context
from tests.cloud.conftest import Hands
from tests.fakes.engines import kept
from tests.fakes.hearers import HEARERS, Receiver, hearer
from tests.fakes.hearing import said_in, text_of
from tests.fakes.provider import FakeProvider
from tests.speech_parts.conftest import start_fake

__all__ = ["start_fake"]
StartFake = Callable[[type[FakeProvider]], Any]
MS = 4_000


@pytest.fixture
def on(start_fake: StartFake, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An installation with this provider alone; its fake."""

    def install(*names: str) -> Any:
        fakes = {name: start_fake(HEARERS[name][0]) for name in names}
        engines = {name: hearer(name, fake) for name, fake in fakes.items()}
        for module in (providers, pools):
            monkeypatch.setattr(module, "hearers_of_the_operator", lambda: engines)
        return fakes[names[0]]

    return install


def work(hands: Hands, name: str, *, ms: int = MS) -> dict[str, Any]:
    job = hands.submit("", ms=ms, engine=name)
    executor = providers.executor_of(name)
    for _ in range(10):
        hands.work("media", executor)
        if job.row()["status"] not in {"queued", "running"}:
            break
        hands.sweep()
    return {"job": job, **job.row()}


@pytest.mark.parametrize("name", HEARERS)
def test_a_job_is_heard_billed_once_and_kept(name: str, on: Callable[..., Any], hands: Hands) -> None:
    on(name)
    done = work(hands, name)
    assert (done["status"], done["engine"]) == ("completed", name)
    assert done["text"] == text_of(said_in(MS))
    assert [entry[:3] for entry in done["job"].entries("usage")] == [(name, "audio_ms", MS)]
    assert done["job"].raw()


def test_a_length_that_a_provider_rounds_is_put_right(on: Callable[..., Any], hands: Hands) -> None:
    on("assemblyai")
    done = work(hands, "assemblyai", ms=4_400)  # which it tells as 4 s
    [(length_ms,)] = in_tenant(
        hands, "SELECT (body ->> 'duration_ms')::int FROM transcript WHERE job_id = %s", done["job"].id
    )
    assert length_ms == 4_400


def in_tenant(hands: Hands, statement: str, job_id: UUID) -> list[Any]:
    with tenant_context(hands.someone.tenant), connection.cursor() as cursor:
        cursor.execute(statement, [job_id])
        return cursor.fetchall()


def test_long_audio_is_cut_to_what_google_takes_and_joined(on: Callable[..., Any], hands: Hands) -> None:
    fake = on("google")
    done = work(hands, "google", ms=130_000)
    assert done["status"] == "completed"
    assert len([asked for asked in fake.asked if asked.path.endswith(":recognize")]) >= 3
    assert len(done["text"].split()) >= 250  # two words a second, of which some are lost at each cut


@pytest.mark.parametrize("name", ["assemblyai", "deepgram"])
def test_a_provider_brings_the_result_to_our_address(
    name: str, on: Callable[..., Any], hands: Hands, start_fake: StartFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, receiver = on(name), start_fake(Receiver)
    fake.callbacks, fake.polls = 2, 0
    monkeypatch.setattr(deepgram.engine, "AT_ONCE_MS", 0)
    with override_settings(PROVIDER_CALLBACKS="on", PUBLIC_URL=receiver.url):
        job = hands.submit("", ms=MS, engine=name)
        hands.work(providers.executor_of(name))
        fake.finish_work()  # whatever is on its way has arrived
        assert job.row()["status"] == "running"
        for brought in receiver.asked:
            place = callbacks.place_of(brought.path.rpartition("/")[2])
            assert place is not None
            deliver(place, headers=brought.headers, body=brought.body)
        hands.work("media", providers.executor_of(name))
        shown = job.row()
    assert len(receiver.asked) == 2
    assert (shown["status"], shown["text"]) == ("completed", text_of(said_in(MS)))
    assert len(job.entries("usage")) == 1


def test_the_next_engine_takes_over_from_one_that_is_dead(
    on: Callable[..., Any], hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = on("deepgram", "openai")
    # In a region of its own: the circuit that opens here is shared by everybody who calls there.
    settings = DeepgramSettings(fake.KEY, region="dead", base_url=fake.url)
    monkeypatch.setitem(providers.hearers_of_the_operator(), "deepgram", kept(deepgram.Deepgram(settings)))
    fake.faults.extend(["no_quota"] * 5)
    job = hands.submit("", ms=MS, engine="deepgram")
    job.route("deepgram", "openai")
    for _ in range(6):
        hands.work("media", "cloud:deepgram:dead", "cloud:openai:global")
        hands.sweep()
    shown = job.row()
    assert (shown["status"], shown["text"]) == ("completed", text_of(said_in(MS)))
    assert [attempt[:2] for attempt in job.attempts()] == [("deepgram", "provider_quota"), ("openai", "done")]
    assert len(job.entries("usage")) == 1
