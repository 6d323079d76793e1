"""Hedged calls: one answer, from whoever is first, and the others are told to stop."""

from __future__ import annotations

import contextvars
import doctest
import threading

import pytest

from egress import deadline, hedging
from egress.hedging import hedged

LONG_S = 30.0


def test_their_examples_hold() -> None:
    assert doctest.testmod(hedging).failed == 0
    assert doctest.testmod(deadline).failed == 0


def test_a_quick_first_answer_starts_no_second_call() -> None:
    won = hedged([lambda cancel: "first", lambda cancel: pytest.fail("started")], after_s=LONG_S)
    assert (won.number, won.answer) == (0, "first")


def test_a_slow_first_is_overtaken_and_told_to_stop() -> None:
    stopped = threading.Event()

    def slow(cancel: threading.Event) -> str:
        assert cancel.wait(LONG_S)
        stopped.set()
        return "too late"

    won = hedged([slow, lambda cancel: "second"], after_s=0.01)
    assert (won.number, won.answer) == (1, "second")
    assert stopped.wait(LONG_S)


def test_a_failed_first_starts_the_second_at_once() -> None:
    def broken(cancel: threading.Event) -> str:
        raise ConnectionError

    assert hedged([broken, lambda cancel: "second"], after_s=LONG_S).answer == "second"


def test_when_all_fail_the_first_ones_error_is_raised() -> None:
    def broken(number: int) -> hedging.Attempt[str]:
        def run(cancel: threading.Event) -> str:
            raise ConnectionError(number)

        return run

    with pytest.raises(ConnectionError, match="0"):
        hedged([broken(0), broken(1)], after_s=LONG_S)


def test_attempts_run_in_the_callers_context() -> None:
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")
    tenant.set("alice")
    assert hedged([lambda cancel: tenant.get()], after_s=LONG_S).answer == "alice"
