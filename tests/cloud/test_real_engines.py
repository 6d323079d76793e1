"""Whole jobs on the providers' engines, each with its fake: text, bill, what is kept, and who brings results."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import override_settings

from speech import callbacks, pools, providers
from speech.delivering import deliver
from speech.engines import deepgram, openai, sending
from speech.engines.providers import DeepgramSettings
from tenants.facade import tenant_context
from tests.cloud.conftest import Hands
from tests.cloud.test_costs import amounts
from tests.dispatch.conftest import sql
from tests.fakes import openai as strict_openai
from tests.fakes.engines import kept
from tests.fakes.failures import DOUBLED_CALLBACK, LOST_CALLBACK, NEVER
from tests.fakes.hearers import HEARERS, Receiver, hearer
from tests.fakes.hearing import HOSTILE, SCRIPT, said_in, text_of
from tests.fakes.provider import FakeProvider
from tests.speech_parts.conftest import start_fake
from tests.speech_parts.test_engine_contract import WISHES

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


def work(hands: Hands, name: str, *, ms: int = MS, **options: Any) -> dict[str, Any]:
    job = hands.submit("", ms=ms, engine=name, **options)
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


@pytest.mark.parametrize("name", HEARERS)
def test_every_option_that_an_engine_has_is_done_in_a_job(name: str, on: Callable[..., Any], hands: Hands) -> None:
    on(name)
    able = providers.hearers()[name].capabilities
    for feature in sorted(able.features):
        done = work(hands, name, ms=1_000, **WISHES[feature])
        assert (done["status"], done["error"]) == ("completed", None), feature
        assert feature not in able.model_lacks(done["routing"]["model"], [feature])


def test_the_models_that_can_stand_in_for_the_routes_are_asked_for_with_it(
    on: Callable[..., Any], hands: Hands
) -> None:
    fake = on("assemblyai")
    for options in ({}, {"prompt": "x"}, {"vocabulary": tuple(f"w{n}" for n in range(300))}, {"model": "universal-2"}):
        work(hands, "assemblyai", **options)
    asked = [one.json()["speech_models"] for one in fake.asked if (one.method, one.path) == ("POST", "/v2/transcript")]
    large = "universal-3-5-pro"
    assert asked == [[large, "universal-2"], [large], [large], ["universal-2"]]


def test_a_model_that_stood_in_is_the_one_that_is_paid(on: Callable[..., Any], hands: Hands) -> None:
    on("assemblyai").tamper = lambda told: told | ({"speech_model_used": "universal-2"} if "words" in told else {})
    job = work(hands, "assemblyai")["job"]
    assert amounts(job)[1, "audio_ms"][:3] == ("universal-2", MS, Decimal("0.000166667"))  # 0.15 USD an hour


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


def test_a_file_above_what_a_provider_takes_goes_out_smaller(
    on: Callable[..., Any], hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = on("openai")
    most = 16 * 2 * MS  # bytes of the samples alone: a WAV is above it
    for module in (openai.engine, strict_openai):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", most)
    monkeypatch.setattr(sending, "CHUNK_BYTES", 1_000)
    done = work(hands, "openai")
    assert done["text"] == text_of(said_in(MS))
    [asked] = [one for one in fake.asked if one.method == "POST"]
    assert b'filename="audio.ogg"' in asked.body
    assert len(asked.body) < most // 2


@pytest.mark.parametrize("name", [name for name, found in DOUBLED_CALLBACK.items() if found != NEVER])
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
        found = []
        for brought in receiver.asked:
            place = callbacks.place_of(brought.path.rpartition("/")[2])
            assert place is not None
            found.append(deliver(place, headers=brought.headers, body=brought.body))
            hands.work("media", providers.executor_of(name))
        shown = job.row()
    assert found == ["taken", DOUBLED_CALLBACK[name]]
    assert (shown["status"], shown["text"]) == ("completed", text_of(said_in(MS)))
    assert len(job.entries("usage")) == 1


@pytest.mark.parametrize("name", [name for name, found in LOST_CALLBACK.items() if found != NEVER])
def test_a_callback_that_is_lost_loses_no_text(
    name: str, on: Callable[..., Any], hands: Hands, start_fake: StartFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, executor = on(name), providers.executor_of(name)
    fake.callbacks, fake.polls = 0, 0
    with (
        override_settings(PROVIDER_CALLBACKS="on", PUBLIC_URL=start_fake(Receiver).url),
        monkeypatch.context() as brief,
    ):
        brief.setattr(deepgram.engine, "AT_ONCE_MS", 0)
        job = hands.submit("", ms=MS, engine=name)
        hands.work(executor)
    assert job.items() == [("transcribe", "waiting")]
    lost = []
    if LOST_CALLBACK[name] == "submitted anew":  # once it can only be late, and paid for
        job.age(started_at="now() - interval '1 day'")
        hands.sweep()
        hands.work(executor)
        lost = [(name, "provider_never_finished", True)]
        assert [entry[:3] for entry in job.entries("cost")] == [(name, "audio_ms", MS)]
    hands.sweep()
    hands.work(executor, "media")
    assert (job.row()["status"], job.row()["text"]) == ("completed", text_of(said_in(MS)))
    assert job.attempts() == [*lost, (name, "done", True)]
    assert len(job.entries("usage")) == 1


@pytest.mark.parametrize("name", HEARERS)
def test_what_a_hostile_provider_says_is_in_no_log_and_no_error(
    name: str, on: Callable[..., Any], hands: Hands, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fake = on(name)
    fake.tamper = HOSTILE["script"]
    assert "alert(" in work(hands, name)["text"]  # it is text, and cleaned
    fake.tamper = lambda answer: [SCRIPT, answer]
    ended = work(hands, name)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "provider_answer_unusable")
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "provider_answer_unusable" in logged
    told = logged + str(ended["error"]) + str(ended["routing"])
    assert not [word for word in ("alert(", "evil", "morning") if word in told]


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
    used = sql("SELECT engine, model FROM model_use WHERE tenant_id = %s ORDER BY engine", [hands.someone.id])
    assert used == [("deepgram", "nova-3"), ("openai", "gpt-transcribe")]  # who is told when a model is about to end
    assert len(job.entries("usage")) == 1
