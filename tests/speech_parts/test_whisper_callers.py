"""Who may be in a pool together: callers that were there when it died are heard by themselves."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from speech.engines.errors import EngineNotFree
from speech.whisper.callers import ALONE_FROM_ATTEMPT, Door

TICK_S = 0.01


def inside(stack: ExitStack, door: Door, *, attempt: int = 1) -> None:
    stack.enter_context(door.passed(attempt=attempt, on_tick=None, tick_s=TICK_S))


def test_callers_are_in_together() -> None:
    door = Door()
    with ExitStack() as stack:
        inside(stack, door)
        inside(stack, door, attempt=ALONE_FROM_ATTEMPT - 1)


def test_nobody_comes_in_beside_a_suspect_and_everybody_after_it() -> None:
    door = Door()
    with ExitStack() as stack:
        inside(stack, door, attempt=ALONE_FROM_ATTEMPT)
        for attempt in (1, ALONE_FROM_ATTEMPT):
            with pytest.raises(EngineNotFree), ExitStack() as refused:
                inside(refused, door, attempt=attempt)
    with ExitStack() as stack:
        inside(stack, door)


def test_a_suspect_waits_until_the_others_are_out() -> None:
    door, first, told, order = Door(), ExitStack(), threading.Event(), list[str]()

    def suspect() -> None:
        with door.passed(attempt=ALONE_FROM_ATTEMPT, on_tick=told.set, tick_s=TICK_S):
            order.append("suspect")

    inside(first, door)
    thread = threading.Thread(target=suspect)
    thread.start()
    assert told.wait(10)
    order.append("others out")
    first.close()
    thread.join()
    assert order == ["others out", "suspect"]


def test_a_suspect_that_may_not_wait_any_longer_leaves_the_door_open() -> None:
    door = Door()

    def canceled() -> None:
        raise InterruptedError

    with ExitStack() as stack:
        inside(stack, door)
        with pytest.raises(InterruptedError), door.passed(attempt=3, on_tick=canceled, tick_s=TICK_S):
            pass
        inside(stack, door)
