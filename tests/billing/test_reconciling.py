"""The nightly run: once, whatever the number of schedulers; what it found is kept and shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from billing import reconciling
from billing.facade import ask_reconciliation, ledger_gauges, reconcile_once, reconciliation_runs
from billing.models import Reconciliation


@pytest.fixture
def no_runs(migrated: None) -> Iterator[None]:
    """Nothing was compared yet."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM reconciliation")
    yield
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM reconciliation")


@pytest.fixture
def tonight_is_done(no_runs: None) -> None:
    while reconcile_once():
        pass


def gauges() -> dict[str, float]:
    return {reading.instrument.name: reading.value for reading in ledger_gauges()}


def test_of_several_schedulers_one_does_the_night(
    no_runs: None, in_threads: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    others_looked = threading.Barrier(4)

    def check_until_all_looked(**_: Any) -> list[Any]:
        others_looked.wait(timeout=60)
        return []

    def scheduler() -> bool:
        did = reconcile_once()
        if not did:
            others_looked.wait(timeout=60)
        return did

    monkeypatch.setattr(reconciling, "check", check_until_all_looked)
    did = in_threads([scheduler] * 4)

    assert sorted(did) == [False, False, False, True]
    (run,) = reconciliation_runs()
    assert (run.asked_by, run.whole, run.found, run.error) == ("nightly", False, 0, "")
    assert reconcile_once() is False


def test_a_person_has_everything_compared_once(tonight_is_done: None) -> None:
    ask_reconciliation(actor="ann@example.com")
    ask_reconciliation(actor="ben@example.com")
    waiting = reconciliation_runs()[0]
    assert (waiting.whole, waiting.begun_at, waiting.found) == (True, None, None)

    assert (reconcile_once(), reconcile_once()) == (True, False)
    assert [run.asked_by for run in reconciliation_runs()] == ["ann@example.com", "nightly"]
    assert gauges()["parlance_reconciliation_age_seconds"] < 60


def test_what_differs_is_kept_and_counted(tonight_is_done: None, ended: Callable[..., Any], alice: Any) -> None:
    before = gauges()["parlance_reconciliation_differences"]
    unpaid = ended("completed", minutes=0, measured_ms=60_000, measured_characters=0)
    ask_reconciliation(actor="ann")
    reconcile_once()

    run = reconciliation_runs()[0]
    assert [one.found for one in run.differences if one.subject == str(unpaid)] == ["none"]
    assert gauges()["parlance_reconciliation_differences"] == run.found == before + 1


def test_a_run_whose_process_died_is_begun_anew(tonight_is_done: None) -> None:
    ask_reconciliation(actor="ann")
    with connections["owner"].cursor() as cursor:  # as it is left: begun, and its lock gone with the connection
        cursor.execute("UPDATE reconciliation SET begun_at = now() - interval '1 hour' WHERE ended_at IS NULL")
    assert reconcile_once() is True
    assert reconciliation_runs()[0].found is not None


def test_a_run_that_breaks_off_says_why_and_leaves_the_lock(
    tonight_is_done: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> list[Any]:
        raise ZeroDivisionError(uuid4())

    monkeypatch.setattr(reconciling, "check", broken)
    ask_reconciliation(actor="ann")
    assert reconcile_once() is True
    run = reconciliation_runs()[0]
    assert (run.error, run.found, run.ended_at is not None) == ("ZeroDivisionError", None, True)

    monkeypatch.setattr(reconciling, "check", lambda **_: [])
    ask_reconciliation(actor="ann")
    assert reconcile_once() is True
    assert reconciliation_runs()[0].found == 0


def test_the_thread_goes_on_after_trouble_and_ends_when_told(no_runs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, rounds = threading.Event(), iter([ConnectionError, None])

    def once() -> bool:
        trouble = next(rounds)
        if trouble:
            raise trouble
        stop.set()
        return False

    monkeypatch.setattr(reconciling, "reconcile_once", once)
    monkeypatch.setattr(reconciling, "LOOK_EVERY_S", 0.01)
    thread = threading.Thread(target=reconciling.run_reconciler, args=(stop,))
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert Reconciliation.objects.using("system").count() == 0
