"""What a process keeps of the database for some seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connections, transaction

from tenants import forgetting
from tenants.kept import Kept


@pytest.fixture
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def kept(monkeypatch: Any) -> Kept[str, int]:
    monkeypatch.setattr(forgetting, "_forgets", {})
    monkeypatch.setattr(forgetting.ears, "open", True)
    return Kept("rules", size=2)


def test_it_is_read_once(kept: Kept[str, int], numbers: Iterator[int]) -> None:
    assert [kept.get("a", numbers.__next__) for _ in range(3)] == [0, 0, 0]


def test_it_is_read_again_in_a_moment_while_no_change_can_be_heard(
    kept: Kept[str, int], numbers: Iterator[int], monkeypatch: Any
) -> None:
    monkeypatch.setattr(forgetting.ears, "open", False)
    monkeypatch.setattr(forgetting, "DEAF_TRUSTED_S", -1.0)
    assert [kept.get("a", numbers.__next__) for _ in range(2)] == [0, 1]


def test_a_change_is_in_force_once_it_is_committed(kept: Kept[str, int], numbers: Iterator[int]) -> None:
    kept.get("a", numbers.__next__)
    with transaction.atomic(using="system"):
        kept.changed(using="system")
        assert kept.get("a", numbers.__next__) == 0
    assert kept.get("a", numbers.__next__) == 1


def test_what_was_read_before_a_change_is_not_kept_after_it(kept: Kept[str, int], numbers: Iterator[int]) -> None:
    def read() -> int:
        kept.changed(using="system")  # somebody commits between our reading and our remembering
        return next(numbers)

    assert [kept.get("a", read), kept.get("a", numbers.__next__)] == [0, 1]


def test_other_topics_and_what_is_too_large_or_too_much_do_not_matter(numbers: Iterator[int]) -> None:
    kept = Kept[str, int]("rules", size=2, worth=lambda value: value != 0)
    assert [kept.get("a", numbers.__next__) for _ in range(3)] == [0, 1, 1]
    forgetting.forget("others")
    assert kept.get("a", numbers.__next__) == 1
    for key in "bc":
        kept.get(key, numbers.__next__)
    assert kept.get("a", numbers.__next__) == 4


def test_another_process_hears_which_topic_has_changed(kept: Kept[str, int]) -> None:
    async def hear() -> list[str]:
        heard: asyncio.Queue[str] = asyncio.Queue()
        ears = forgetting.Ears(heard.put_nowait)
        ears.start()
        first = await asyncio.wait_for(heard.get(), 10)  # the subscription stands
        await asyncio.to_thread(change)
        topics = [first]
        while topics[-1] != "rules":  # of a key that somebody else changes meanwhile
            topics.append(await asyncio.wait_for(heard.get(), 10))
        return topics

    def change() -> None:
        kept.changed(using="system")
        connections.close_all()  # of this thread

    assert asyncio.run(hear())[0] == forgetting.ALL
