"""After an engine failed, the next one of the route goes on: same job, same hold, one bill, nothing heard twice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.cloud.conftest import CLOUD, LONG_MS, CloudJob, Died, Hands
from tests.dispatch.conftest import sql


def test_a_failure_that_lasts_moves_the_job_to_the_next_engine_at_once(hands: Hands) -> None:
    job = two_engines(hands, "cloud:fail:auth")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated")
    assert job.attempts() == [("simulated-cloud", "simulated_auth", False)]
    assert [(told["engine"], told["code"]) for told in shown["routing"]["attempts"]] == [
        ("simulated-cloud", "simulated_auth")
    ]
    assert [entry[:3] for entry in job.entries("usage")] == [("simulated", "audio_ms", 2000)]


def test_a_failure_that_may_pass_is_tried_twice_before_the_next_engine(hands: Hands) -> None:
    job = two_engines(hands, "cloud:fail:timeout")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated")
    assert [outcome for _, outcome, _ in job.attempts()] == ["simulated_timeout"] * 2


def test_a_failure_that_passes_keeps_its_engine(hands: Hands) -> None:
    job = two_engines(hands, "cloud:fail:transient:1")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated-cloud")
    assert [outcome for _, outcome, _ in job.attempts()] == ["simulated_transient", "done"]


def test_what_was_heard_is_kept_and_each_engine_is_billed_for_its_parts(hands: Hands) -> None:
    job = two_engines(hands, "cloud:", ms=LONG_MS)
    hands.run(hands.claim(CLOUD))
    [(done_ms,)] = sql("SELECT done_ms FROM job WHERE id = %s", [job.id])
    fails_from_now_on(job, "cloud:fail:quota")
    shown = hands.finish(job)

    assert shown["status"] == "completed"
    assert [outcome for _, outcome, _ in job.attempts()] == ["done", "simulated_quota"]
    billed = {engine: quantity for engine, _, quantity, _ in job.entries("usage")}
    assert billed == {"simulated-cloud": done_ms, "simulated": LONG_MS - done_ms}
    assert [word["start_ms"] for word in shown["words"]] == sorted(word["start_ms"] for word in shown["words"])


def test_what_a_provider_has_already_is_left_to_it(hands: Hands) -> None:
    job = two_engines(hands, "cloud:lost:0", ms=LONG_MS)
    hands.run(hands.claim(CLOUD))  # taken: it is paid for
    fails_from_now_on(job, "cloud:fail:quota")
    hands.run(hands.claim(CLOUD))
    assert job.row()["engine"] == "simulated"
    fails_from_now_on(job, "cloud:lost:0")
    hands.finish(job)

    assert sorted(outcome for _, outcome, _ in job.attempts()) == ["done", "simulated_quota"]
    assert {engine for engine, *_ in job.entries("usage")} == {"simulated", "simulated-cloud"}


def test_an_engine_that_takes_less_gets_the_rest_cut_anew(hands: Hands) -> None:
    job = two_engines(hands, "transient_error", ms=LONG_MS, engines=("simulated", "simulated-cloud"))
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated-cloud")
    assert {outcome for _, outcome, _ in job.attempts()} == {"done"}
    assert len(job.attempts()) == 3
    assert shown["words"][-1]["end_ms"] > LONG_MS - 2_000
    assert [told["engine"] for told in shown["routing"]["attempts"]] == ["simulated"] * 2


def test_bad_audio_is_nobodys_to_try_again(hands: Hands) -> None:
    job = two_engines(hands, "cloud:fail:bad_audio")
    shown = hands.finish(job)

    assert (shown["status"], shown["error"]["code"]) == ("failed", "simulated_bad_audio")
    assert len(job.attempts()) == 1
    assert letters(job) == 0


def test_after_the_last_engine_every_reason_is_told_and_a_replay_starts_from_the_first(hands: Hands) -> None:
    from dispatch.facade import list_dead_letters
    from speech.facade import replay

    job = two_engines(hands, "cloud:fail:unsupported", engines=("simulated-cloud", "simulated-cloud"))
    shown = hands.finish(job)

    assert shown["status"] == "failed"
    assert [told["code"] for told in shown["routing"]["attempts"]] == ["simulated_unsupported"] * 2
    assert job.entries("usage") == []
    assert sql("SELECT count(*) FROM hold WHERE job_id = %s", [job.id]) == [(0,)]
    [letter] = [letter for letter in list_dead_letters() if letter.job_id == job.id]
    fails_from_now_on(job, "cloud:")
    assert replay(letter.id) == job.id
    assert hands.finish(job)["status"] == "completed"
    assert len(job.entries("usage")) == 1


def test_a_replay_keeps_what_was_heard_by_whom_it_was_heard(hands: Hands) -> None:
    from dispatch.facade import list_dead_letters
    from speech.facade import replay

    job = two_engines(hands, "cloud:", ms=LONG_MS, engines=("simulated-cloud",))
    hands.run(hands.claim(CLOUD))
    fails_from_now_on(job, "cloud:fail:unsupported")
    assert hands.finish(job)["status"] == "failed"
    [letter] = [letter for letter in list_dead_letters() if letter.job_id == job.id]
    fails_from_now_on(job, "cloud:")
    replay(letter.id)
    hands.finish(job)

    assert [outcome for _, outcome, _ in job.attempts()].count("done") == 3
    assert [quantity for _, _, quantity, _ in job.entries("usage")] == [LONG_MS]


def test_an_engine_that_the_balance_does_not_cover_is_passed_over(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.facade import InsufficientFunds
    from speech import failover

    real = failover.raise_hold

    def poor(job_id: Any, *, engine: str, **values: Any) -> bool:
        if engine == "pocketsphinx":
            raise InsufficientFunds(Decimal(1), currency="USD")
        return real(job_id, engine=engine, **values)

    monkeypatch.setattr(failover, "raise_hold", poor)
    job = two_engines(hands, "cloud:fail:auth", engines=("simulated-cloud", "pocketsphinx", "simulated"))
    shown = hands.finish(job)
    assert (shown["status"], shown["engine"]) == ("completed", "simulated")


def test_a_call_that_failed_and_costs_money_is_booked(hands: Hands) -> None:
    job = two_engines(hands, "cloud:paid:permanent")
    hands.finish(job)

    assert [entry[:3] for entry in job.entries("cost")] == [("simulated-cloud", "audio_ms", 2000)]
    assert [entry[0] for entry in job.entries("usage")] == ["simulated"]


def test_the_hold_covers_the_dearest_engine_that_may_be_billed(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    from speech import failover

    raised: list[tuple[str, list[str]]] = []
    real = failover.raise_hold

    def note(job_id: Any, *, engine: str, beside: list[str], **values: Any) -> bool:
        raised.append((engine, beside))
        return real(job_id, engine=engine, beside=beside, **values)

    monkeypatch.setattr(failover, "raise_hold", note)
    job = two_engines(hands, "cloud:", ms=LONG_MS)
    hands.run(hands.claim(CLOUD))
    fails_from_now_on(job, "cloud:fail:quota")
    hands.run(hands.claim(CLOUD))

    assert raised == [("simulated", ["simulated-cloud"])]
    assert sql("SELECT amount > 0 FROM hold WHERE job_id = %s", [job.id]) == [(True,)]


def test_a_move_that_dies_in_its_commit_is_made_again(
    hands: Hands, fail_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = two_engines(hands, "cloud:fail:auth")
    fail_at("failover.uncommitted")
    with pytest.raises(Died):
        hands.run(hands.claim(CLOUD))
    monkeypatch.undo()

    assert job.row()["engine"] == "simulated-cloud"
    assert hands.finish(job)["engine"] == "simulated"


def test_a_provider_that_failed_too_often_is_not_called_and_the_next_engine_goes_on(hands: Hands) -> None:
    hands.finish(two_engines(hands, "cloud:fail:auth"))  # opens the circuit
    job = two_engines(hands, "cloud:")
    shown = hands.finish(job)

    assert (shown["status"], shown["engine"]) == ("completed", "simulated")
    assert job.attempts() == []
    assert [told["code"] for told in shown["routing"]["attempts"]] == ["circuit_open"]


def test_where_there_is_no_other_engine_a_circuit_is_waited_for_without_using_up_attempts(hands: Hands) -> None:
    hands.finish(two_engines(hands, "cloud:fail:quota"))
    job = two_engines(hands, "cloud:", engines=("simulated-cloud",))
    for _ in range(6):
        hands.work(CLOUD)
        hands.sweep()
    assert sql("SELECT attempt, state FROM work_item WHERE job_id = %s", [job.id]) == [(0, "queued")]
    assert job.attempts() == []
    assert "attempts" not in job.row()["routing"]


def two_engines(
    hands: Hands, simulate: str, *, ms: int = 2_000, engines: tuple[str, ...] = ("simulated-cloud", "simulated")
) -> CloudJob:  # fmt: skip
    """A prepared job with this route."""
    job = hands.submit(simulate, ms=ms, engine=engines[0])
    job.route(*engines)
    return job


def fails_from_now_on(job: CloudJob, simulate: str) -> None:
    """The provider's script is another one now."""
    job.ask(simulate=simulate)


def letters(job: CloudJob) -> int:
    """Dead letters of the job."""
    return int(sql("SELECT count(*) FROM dead_letter WHERE job_id = %s", [job.id])[0][0])
