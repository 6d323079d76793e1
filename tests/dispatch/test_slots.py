"""Of the threads that a burst wakes, one looks for work at a time, and no wake-up is missed."""

from __future__ import annotations

import threading

from dispatch.slots import Slots
from tests.dispatch.conftest import run_threads


def test_one_that_is_woken_while_another_looks_goes_away_and_the_other_looks_again() -> None:
    slots, looking, go_on, found = Slots(4), threading.Event(), threading.Event(), ["late", None]

    def search() -> str | None:
        looking.set()
        go_on.wait(10)
        return found.pop()

    answers: list[object] = []

    def woken_meanwhile() -> None:
        looking.wait(10)
        answers.append(slots.look(lambda: "never asked", only_if_alone=True))
        go_on.set()

    run_threads(lambda: answers.append(slots.look(search, only_if_alone=True)), woken_meanwhile)
    assert answers == [(None, False), ("late", False)]


def test_who_finds_work_hears_that_others_were_turned_away() -> None:
    slots, looking, go_on = Slots(4), threading.Event(), threading.Event()

    def search() -> str:
        looking.set()
        go_on.wait(10)
        return "work"

    answers: list[object] = []

    def woken_meanwhile() -> None:
        looking.wait(10)
        slots.look(lambda: None, only_if_alone=True)
        go_on.set()

    run_threads(lambda: answers.append(slots.look(search, only_if_alone=True)), woken_meanwhile)
    assert answers == [("work", True)]


def test_a_busy_thread_waits_for_its_turn_to_look() -> None:
    slots, seen = Slots(4), list[int]()

    def look() -> None:
        for _ in range(50):
            slots.look(lambda: seen.append(1), only_if_alone=False)

    run_threads(look, look, look)
    assert len(seen) == 150
