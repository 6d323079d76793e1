"""A second provider asked beside a slow first one: the first answer, one bill, and the cost of both calls."""

from __future__ import annotations

import doctest
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from egress import deadline
from speech import failover, hedge
from tests.cloud.conftest import CloudJob, Hands
from tests.cloud.test_costs import amounts
from tests.cloud.test_providers import Use, use
from tests.dispatch.conftest import sql
from tests.fakes.hearing import said_in, text_of

__all__ = ["use"]  # a fixture
MS = 2_000
WAITED_S = 20.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The first is waited for a moment, and whoever is outrun notices at once."""
    hedge._durations.clear()
    monkeypatch.setattr(hedge, "AFTER_S", 0.3)
    monkeypatch.setattr(deadline, "TICK_S", 0.05)
    yield
    until = threading.Event()
    for _ in range(200):  # nobody's call outlives its test
        if not [one for one in threading.enumerate() if one.name.startswith("hedge-")]:
            return
        until.wait(WAITED_S / 200)
    raise AssertionError("a call that was outrun goes on")


@pytest.fixture
def both(use: Use) -> tuple[Any, Any]:
    """Two providers that answer at once."""
    return use("deepgram"), use("openai")


def hedged(hands: Hands, *, hedge: bool = True, ms: int = MS) -> CloudJob:
    job = hands.submit("", ms=ms, language="en")
    job.route("deepgram", "openai", hedge=hedge)
    return job


@pytest.fixture
def fails_late(both: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first provider refuses once the second was asked, and that one answers once the first has refused."""
    refused, real = threading.Event(), hedge._made

    def made(call: Any, cancel: threading.Event) -> Any:
        try:
            return real(call, cancel)
        finally:
            if call.error is not None:
                refused.set()

    monkeypatch.setattr(hedge, "_made", made)
    both[0].faults.append("no_quota")
    both[0].waits_for, both[1].waits_for = both[1].was_asked, refused


def asked(fake: Any) -> int:
    return len([one for one in fake.asked if one.method == "POST"])


def test_examples_hold() -> None:
    assert doctest.testmod(hedge).failed == 0


def test_a_quick_first_provider_is_asked_alone(hands: Hands, both: tuple[Any, Any]) -> None:
    job = hedged(hands)
    shown = hands.finish(job)
    assert (shown["status"], shown["engine"]) == ("completed", "deepgram")
    assert [asked(fake) for fake in both] == [1, 0]
    assert job.attempts() == [("deepgram", "done", True)]


def test_a_slow_first_is_overtaken_and_both_calls_are_paid_and_billed_once(hands: Hands, both: tuple[Any, Any]) -> None:
    both[0].faults.append("mute")
    job = hedged(hands)
    shown = hands.finish(job)

    assert (shown["status"], shown["text"], shown["engine"]) == ("completed", text_of(said_in(MS)), "openai")
    assert [(engine, outcome) for engine, outcome, _ in job.attempts()] == [("deepgram", "outrun"), ("openai", "done")]
    assert [asked(fake) for fake in both] == [1, 1]
    assert [entry[:3] for entry in job.entries("usage")] == [("openai", "audio_ms", MS)]
    assert amounts(job)[1, "audio_ms"][:2] == ("nova-3", MS)
    assert amounts(job)[2, "audio_ms"][:3] == ("gpt-transcribe", MS, Decimal("0.000150000"))
    [told] = shown["routing"]["attempts"]
    assert (told["engine"], told["code"]) == ("deepgram", "outrun")


def test_a_second_provider_that_is_slower_costs_and_bills_nothing_more(hands: Hands, both: tuple[Any, Any]) -> None:
    both[1].faults.append("mute")
    both[0].waits_for = both[1].was_asked
    job = hedged(hands)
    assert hands.finish(job)["engine"] == "deepgram"
    assert job.attempts() == [("deepgram", "done", True), ("openai", "outrun", False)]
    assert amounts(job)[2, "audio_ms"][1] == MS
    assert [entry[:3] for entry in job.entries("usage")] == [("deepgram", "audio_ms", MS)]


@pytest.mark.usefixtures("fails_late")
def test_a_first_that_fails_while_the_second_is_asked_is_told_of(hands: Hands) -> None:
    job = hedged(hands)
    shown = hands.finish(job)
    assert shown["engine"] == "openai"
    assert [outcome for _, outcome, _ in job.attempts()] == ["provider_quota", "done"]
    assert [told["code"] for told in shown["routing"]["attempts"]] == ["provider_quota"]


@pytest.mark.usefixtures("fails_late")
def test_when_both_fail_each_is_told_of_and_the_job_goes_on(hands: Hands, both: tuple[Any, Any]) -> None:
    both[1].faults.append("not_let_in")
    job = hands.submit("", ms=MS, language="en")
    job.route("deepgram", "openai", "simulated", hedge=True)
    shown = hands.finish(job)
    assert shown["status"] == "completed"
    told = {(one["engine"], one["code"]) for one in shown["routing"]["attempts"]}
    assert told >= {("deepgram", "provider_quota"), ("openai", "provider_credentials_refused")}
    assert len(job.entries("usage")) == 1


def test_a_first_that_fails_soon_is_followed_as_ever(hands: Hands, both: tuple[Any, Any]) -> None:
    both[0].faults.append("no_quota")
    job = hedged(hands)
    assert hands.finish(job)["engine"] == "openai"
    assert [outcome for _, outcome, _ in job.attempts()] == ["provider_quota", "done"]
    assert [choice for (choice,) in sql("SELECT segments_left FROM job WHERE id = %s", [job.id])] == [0]


@pytest.mark.parametrize(("wished", "ms"), [(False, MS), (True, 61_000)])
def test_only_what_is_short_and_wished_for_is_asked_twice(
    hands: Hands, both: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, wished: bool, ms: int
) -> None:
    monkeypatch.setattr(hedge, "first_answer", lambda *_, **__: pytest.fail("two were asked"))
    assert hands.finish(hedged(hands, hedge=wished, ms=ms))["status"] == "completed"


def test_what_the_balance_does_not_cover_is_not_asked_beside(
    hands: Hands, both: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.facade import InsufficientFunds
    from speech import part_calls

    released = threading.Event()

    def poor(*_: Any, **__: Any) -> bool:
        released.set()
        raise InsufficientFunds(Decimal(1), currency="USD")

    monkeypatch.setattr(part_calls, "raise_hold", poor)
    both[0].waits_for = released
    job = hedged(hands)
    assert hands.finish(job)["engine"] == "deepgram"
    assert released.is_set()
    assert job.attempts() == [("deepgram", "done", True)]
    assert asked(both[1]) == 0


def test_calls_that_died_are_interrupted_together(hands: Hands, both: tuple[Any, Any]) -> None:
    from dispatch.facade import begin_attempt, begin_rival, lock_job
    from tenants.facade import tenant_context

    job, lease = hedged(hands), hands.claim("cloud:simulated:local")
    with tenant_context(hands.someone.tenant):
        begin_attempt(lease, engine="deepgram", model="")
        from django.db import transaction

        with transaction.atomic():
            assert lock_job(job.id) is not None
            begin_rival(lease, engine="openai", model="")
    assert hands.finish(job)["status"] == "completed"
    assert [outcome for _, outcome, _ in job.attempts()] == ["interrupted", "interrupted", "done"]
    assert len(job.entries("usage")) == 1


def test_a_provider_that_is_outrun_again_and_again_is_left_alone(hands: Hands, both: tuple[Any, Any]) -> None:
    both[0].faults.extend(["mute"] * 9)
    codes = []
    for _ in range(8):
        shown = hands.finish(hedged(hands))
        assert shown["engine"] == "openai"
        codes += [told["code"] for told in shown["routing"]["attempts"]]
    assert codes[:5] == ["outrun"] * 5
    assert codes[-1] == "circuit_open"  # nobody waits for it any more
    assert failover.OUTRUN == "outrun"
