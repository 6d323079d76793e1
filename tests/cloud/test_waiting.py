"""A provider that answers later is asked again, or calls back: once, whoever comes first, and paid once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.conftest import CLOUD, Died, Hands
from tests.dispatch.conftest import run_threads, sql


def test_a_provider_that_answers_at_once_ends_the_job(hands: Hands) -> None:
    job = hands.submit("cloud:")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated-cloud")
    assert job.attempts() == [("simulated-cloud", "done", True)]
    assert [entry[:3] for entry in job.entries("usage")] == [("simulated-cloud", "audio_ms", 2000)]


def test_what_waits_holds_no_worker_and_is_asked_for_when_it_is_due(hands: Hands) -> None:
    job = hands.submit("cloud:poll:0")
    assert hands.work(CLOUD) == 1
    assert job.items() == [("transcribe", "waiting")]
    assert job.attempts() == [("simulated-cloud", "", True)]
    assert hands.work() == 0  # it is not due yet

    assert hands.finish(job)["status"] == "completed"
    assert job.attempts() == [("simulated-cloud", "done", True)]


def test_asking_often_uses_up_no_attempts(hands: Hands) -> None:
    job = hands.submit("cloud:poll:3600000")
    for _ in range(8):
        hands.work(CLOUD)
        hands.sweep()
    assert job.items() == [("transcribe", "queued")]
    assert sql("SELECT attempt FROM work_item WHERE job_id = %s", [job.id]) == [(0,)]
    assert job.attempts() == [("simulated-cloud", "", True)]


def test_a_call_that_is_never_finished_is_over_after_a_time_that_follows_the_audio(hands: Hands) -> None:
    job = hands.submit("cloud:poll:3600000")
    hands.work(CLOUD)
    hands.sweep()
    job.age(started_at="now() - interval '1 day'")
    hands.work(CLOUD)

    assert job.attempts() == [("simulated-cloud", "provider_never_finished", True)]
    assert job.row()["routing"]["attempts"][0]["code"] == "provider_never_finished"
    assert job.items() == [("transcribe", "waiting")]  # it is submitted again


@pytest.mark.parametrize(
    ("point", "paid"),
    [("attempt.begun", 2), ("attempt.answered", 2), ("attempt.uncommitted", 2), ("attempt.waits", 1)],
)
def test_a_resume_asks_for_what_was_taken_instead_of_paying_again(
    hands: Hands, fail_at: Callable[[str], None], point: str, paid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hands.submit("cloud:poll:0")
    fail_at(point)
    with pytest.raises(Died):
        hands.run(hands.claim(CLOUD))
    monkeypatch.undo()

    assert hands.finish(job)["status"] == "completed"
    assert [outcome for _, outcome, _ in job.attempts()] == ["interrupted"] * (paid - 1) + ["done"]
    assert len(job.entries("usage")) == 1


def test_a_callback_finishes_the_part_and_a_second_one_changes_nothing(hands: Hands) -> None:
    job = hands.submit("cloud:lost:3600000")
    hands.work(CLOUD)

    assert job.bring() == "taken"
    assert job.row()["status"] == "completed"
    assert job.bring() == "over"
    assert job.attempts() == [("simulated-cloud", "done", True)]
    assert len(job.entries("usage")) == 1


def test_a_callback_that_only_says_done_has_the_result_asked_for_now(hands: Hands) -> None:
    job = hands.submit("cloud:lost:0")
    hands.work(CLOUD)

    assert job.bring(status="done") == "taken"
    assert hands.work(CLOUD) == 1  # nothing had to be swept
    assert job.row()["status"] == "completed"


def test_a_callback_that_is_not_the_providers_own_is_refused(hands: Hands) -> None:
    from speech.callbacks import place_of

    job = hands.submit("cloud:lost:0")
    hands.work(CLOUD)

    assert job.bring(secret="guessed") == "refused"
    assert job.items() == [("transcribe", "waiting")]
    token = job.callback().url.rpartition("/")[2]
    other = ("B" if token[0] != "B" else "C") + token[1:]
    assert place_of(token) is not None
    assert [place_of(wrong) for wrong in (other, token[:-4], "", "%%", token + "AAAA")] == [None] * 5


def test_a_callback_that_comes_before_we_know_of_the_call_is_to_come_again(hands: Hands) -> None:
    job = hands.submit("cloud:lost:0")
    lease = hands.claim(CLOUD)
    from dispatch.facade import begin_attempt
    from tenants.facade import tenant_context

    with tenant_context(hands.someone.tenant):
        begin_attempt(lease, engine="simulated-cloud", model="")
    assert job.bring() == "not_yet"


def test_a_callback_and_a_poll_at_once_end_the_job_once(hands: Hands) -> None:
    for _ in range(5):
        job = hands.submit("cloud:lost:0")
        hands.work(CLOUD)
        hands.sweep()
        run_threads(lambda: hands.work(CLOUD), job.bring)
        assert hands.finish(job)["status"] == "completed"
        assert [outcome for _, outcome, _ in job.attempts()] == ["done"]
        assert len(job.entries("usage")) == 1


def test_a_lost_callback_is_found_by_asking(hands: Hands) -> None:
    job = hands.submit("cloud:lost:0")
    assert hands.finish(job)["status"] == "completed"


def test_a_canceled_job_lets_its_provider_talk(hands: Hands) -> None:
    job = hands.submit("cloud:lost:0")
    hands.work(CLOUD)
    job.cancel()

    assert job.bring() in {"over", "not_yet"}
    assert job.row()["status"] == "canceled"
    assert job.entries("usage") == []


def test_test_keys_are_heard_by_the_simulated_provider_and_pay_nothing(hands: Hands) -> None:
    job = hands.submit("cloud:poll:0", livemode=False)
    hands.finish(job)
    assert job.attempts() == [("simulated-cloud", "done", True)]
    assert job.entries("usage") == job.entries("cost") == []


def test_what_the_provider_counts_is_booked_as_cost_once(hands: Hands) -> None:
    job = hands.submit("cloud:")
    hands.finish(job)
    assert [entry[:3] for entry in job.entries("cost")] == [("simulated-cloud", "audio_ms", 2000)]
    assert job.row()["cost"]["amount"] == "0.0002"  # what the provider takes is not the customer's


def test_the_providers_own_answer_is_kept_and_erased_with_the_job(hands: Hands) -> None:
    job = hands.submit("cloud:poll:0")
    text = hands.finish(job)["text"]
    assert [text.encode() in raw for raw in job.raw()] == [True]
    job.delete()
    assert job.raw() == []
