"""Providers' engines in the flow of jobs, each against its strict fake: text, bill, attempts, raw answer, callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloud.conftest import CLOUD, CloudJob, Hands
from tests.fakes.hearers import HEARERS, hearer

Use = Callable[[str], Any]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Set a provider's engine up with its fake; the fake."""
    from speech import pools, providers

    fakes: list[Any] = []

    def set_up(name: str) -> Any:
        fake = HEARERS[name][0]()
        fakes.append(fake)
        engines = {**providers.hearers_of_the_operator(), name: hearer(name, fake)}
        for module in (providers, pools):
            monkeypatch.setattr(module, "hearers_of_the_operator", lambda: engines)
        return fake

    yield set_up
    for fake in fakes:
        fake.close()


@pytest.mark.parametrize("name", sorted(HEARERS))
def test_a_providers_text_becomes_the_jobs(hands: Hands, use: Use, name: str) -> None:
    use(name)
    job = heard_by(hands, name)
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", name)
    assert shown["text"]
    assert [(engine, outcome) for engine, outcome, _ in job.attempts()] == [(name, "done")]
    assert [(entry[0], entry[2]) for entry in job.entries("usage")] == [(name, 2000)]
    assert len(job.raw()) == 1


@pytest.mark.parametrize("name", sorted(HEARERS))
def test_a_provider_that_fails_is_followed_by_the_next_engine(hands: Hands, use: Use, name: str) -> None:
    fake = use(name)
    fake.faults.append("not_let_in")
    job = heard_by(hands, name, "simulated")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated")
    [told] = shown["routing"]["attempts"]
    assert told["engine"] == name


def test_a_provider_that_says_done_has_its_text_asked_for(hands: Hands, use: Use) -> None:
    from speech.callbacks import place_of
    from speech.delivering import deliver
    from speech.engines.assemblyai.engine import PROOF_HEADER

    fake = use("assemblyai")
    job = heard_by(hands, "assemblyai")
    hands.work(CLOUD)
    assert job.items() == [("transcribe", "waiting")]
    callback = job.callback()
    place = place_of(callback.url.rpartition("/")[2])
    assert place is not None
    [work_id] = [row[0] for row in job.external_ids()]
    body = f'{{"transcript_id": "{work_id}", "status": "completed"}}'.encode()
    headers = {PROOF_HEADER.lower(): callback.secret}

    assert deliver(place, headers={PROOF_HEADER.lower(): "guessed"}, body=body) == "refused"
    assert deliver(place, headers=headers, body=body) == "taken"
    assert hands.finish(job)["status"] == "completed"
    assert fake.asked


def heard_by(hands: Hands, *engines: str) -> CloudJob:
    """A job that these engines are to hear, in their order."""
    job = hands.submit("", language="en")
    job.route(*engines)
    return job
