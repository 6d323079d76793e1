"""The circuit breaker: its rules, its two memories alike, and races of many workers on a real Redis."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import redis

from egress.breaker import contracts, rules
from egress.breaker.contracts import Because, Store
from egress.breaker.local import LocalStore
from egress.breaker.rules import Rules
from egress.facade import (
    Breaker,
    BreakerKey,
    CircuitOpen,
    Ending,
    Health,
    HeldBack,
    Outcome,
    RetriesSpent,
    SharedStore,
)

SOON = Rules(open_s=0.15, denied_open_s=0.15, minimum_calls=2)
WORKERS = 20


class ProviderDown(Exception):
    """What a call raises here."""


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest) -> Store:
    return SharedStore.at(os.environ["REDIS_URL"]) if request.param == "redis" else LocalStore()


@pytest.fixture
def key() -> BreakerKey:
    return BreakerKey(f"provider-{uuid4().hex}", operation="transcribe")


def fail(breaker: Breaker, key: BreakerKey, outcome: Outcome = Outcome.FAILED, *, after_s: float | None = None) -> None:
    with (
        pytest.raises(ProviderDown),
        breaker.guard(key, deadline_s=1, slow_after_s=0.1, classify=lambda _: Ending(outcome, after_s)),
    ):
        raise ProviderDown


def answer(breaker: Breaker, key: BreakerKey) -> None:
    with breaker.guard(key, deadline_s=1):
        pass


def await_state(breaker: Breaker, key: BreakerKey, state: str) -> None:
    until = time.monotonic() + 10
    while breaker.health([key])[key].state != state:
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.parametrize("module", [rules, contracts])
def test_the_rules_are_as_their_examples_say(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_it_opens_by_the_share_of_failures_and_closes_with_a_good_probe(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store, rules=SOON)
    fail(breaker, key)
    answer(breaker, key)  # one of two has failed
    with pytest.raises(CircuitOpen) as refusal, breaker.guard(key, deadline_s=1):
        pytest.fail("called although open")
    assert 0 < refusal.value.retry_after_s <= 0.2
    await_state(breaker, key, "half_open")
    answer(breaker, key)
    assert breaker.health([key])[key] == Health("closed")


def test_a_failed_probe_opens_it_for_longer(store: Store, key: BreakerKey) -> None:
    opened: list[tuple[Because, int]] = []
    breaker = Breaker(store, rules=SOON, on_open=lambda _, because, opens: opened.append((because, opens)))
    fail(breaker, key)
    fail(breaker, key)
    await_state(breaker, key, "half_open")
    fail(breaker, key)
    assert opened == [("failures", 1), ("probe", 2)]
    assert breaker.health([key])[key].retry_after_s > 0.2


def test_a_probe_that_says_nothing_leaves_its_turn_to_the_next(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store, rules=SOON)
    fail(breaker, key, Outcome.DENIED)
    await_state(breaker, key, "half_open")
    fail(breaker, key, Outcome.IGNORED)
    answer(breaker, key)
    assert breaker.health([key])[key].state == "closed"


def test_slow_answers_open_it_too(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store, rules=SOON)
    for _ in range(SOON.minimum_calls):
        with breaker.guard(key, deadline_s=1, slow_after_s=1e-9):
            time.sleep(0)
    assert breaker.health([key])[key].state == "open"


def test_one_failure_that_took_long_is_enough(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store, rules=SOON)
    with pytest.raises(ProviderDown), breaker.guard(key, deadline_s=1, slow_after_s=1e-9):
        raise ProviderDown
    assert breaker.health([key])[key].state == "open"


def test_refused_credentials_open_only_their_tenants_circuit(store: Store, key: BreakerKey) -> None:
    breaker, own = Breaker(store, rules=SOON), BreakerKey(key.provider, operation="transcribe", tenant="ten_1")
    fail(breaker, own, Outcome.DENIED)
    states = {one: health.state for one, health in breaker.health([own, key]).items()}
    assert states == {own: "open", key: "closed"}
    with pytest.raises(CircuitOpen), breaker.guard(own, deadline_s=1):
        pytest.fail("called although open")
    answer(breaker, key)


def test_busy_is_no_failure_and_holds_everybody_back(store: Store, key: BreakerKey) -> None:
    breaker, another_worker = Breaker(store, rules=SOON), Breaker(store, rules=SOON)
    for _ in range(5):
        breaker_of_its_own = BreakerKey(key.provider, operation="poll")
        fail(breaker, breaker_of_its_own, Outcome.BUSY, after_s=0.001)
        time.sleep(0.002)
    assert breaker.health([breaker_of_its_own])[breaker_of_its_own].state == "closed"
    fail(breaker, key, Outcome.BUSY, after_s=30)
    with pytest.raises(HeldBack) as refusal, another_worker.guard(key, deadline_s=1):
        pytest.fail("called although held back")
    assert 29 < refusal.value.retry_after_s <= 30


def test_holding_back_is_never_shortened_and_bounded(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store)
    breaker.hold(key, seconds=1e9)
    breaker.hold(key, seconds=1)
    assert 590 < breaker.health([key])[key].retry_after_s <= 600


def test_retries_are_a_tenth_of_the_calls(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store)

    def retries_until_refused() -> int:
        for number in range(50):
            try:
                with breaker.guard(key, deadline_s=1, is_retry=True):
                    pass
            except RetriesSpent:
                return number
        raise AssertionError("never refused")

    assert retries_until_refused() == contracts.MOST_RETRIES
    for _ in range(31):
        answer(breaker, key)
    assert retries_until_refused() == 3


def test_news_of_calls_that_began_before_it_opened_is_old(store: Store, key: BreakerKey) -> None:
    breaker = Breaker(store, rules=SOON)
    with breaker.guard(key, deadline_s=1):
        fail(breaker, key, Outcome.DENIED)
    assert breaker.health([key])[key].state == "open"


@pytest.mark.parametrize("kind", ["threads", "killed"])
def test_of_twenty_workers_at_half_open_exactly_one_probes(kind: str, key: BreakerKey) -> None:
    workers = [Breaker(SharedStore.at(os.environ["REDIS_URL"]), rules=SOON) for _ in range(WORKERS)]
    fail(workers[0], key, Outcome.DENIED)
    await_state(workers[0], key, "half_open")
    if kind == "killed":  # while it probes; its turn ends with its deadline
        _probe_and_die(key)
        until = time.monotonic() + 10
        while workers[0].health([key])[key].retry_after_s > 0:
            assert time.monotonic() < until
            time.sleep(0.005)
    start, refused = threading.Barrier(WORKERS), threading.Barrier(WORKERS)

    def work(breaker: Breaker) -> str:
        start.wait()
        try:
            with breaker.guard(key, deadline_s=30):
                refused.wait(timeout=30)  # the probe lasts until all others have asked
                return "probed"
        except CircuitOpen:
            refused.wait(timeout=30)
            return "refused"

    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(work, workers))
    assert sorted(results) == ["probed"] + ["refused"] * (WORKERS - 1)
    assert workers[0].health([key])[key].state == "closed"


def _probe_and_die(key: BreakerKey) -> None:
    """In a process of its own: get the probe, and be killed within the call."""
    code = (
        "import os, signal; from egress.breaker import guard; from egress.facade import *\n"
        "guard.PROBE_MARGIN_S = 0.1\n"
        f"with Breaker(SharedStore.at(os.environ['REDIS_URL'])).guard({key!r}, deadline_s=0.1):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": "platform"}, check=False)
    assert died.returncode == -9


class Away:
    """A Redis that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        def no_answer(*values: object, **named: object) -> None:
            self.asked += 1
            raise redis.ConnectionError

        return no_answer


def test_without_redis_each_process_remembers_by_itself_and_nobody_is_refused(key: BreakerKey) -> None:
    away = Away()
    breaker = Breaker(away, rules=SOON)  # type: ignore[arg-type]
    answer(breaker, key)
    fail(breaker, key)
    with pytest.raises(CircuitOpen), breaker.guard(key, deadline_s=1):
        pytest.fail("called although open")
    assert away.asked == 1  # and then it is left alone for a while


def test_redis_that_goes_in_the_middle_of_a_call_spoils_nothing(key: BreakerKey) -> None:
    store = SharedStore.at("redis://127.0.0.1:1")
    store.enter = LocalStore().enter  # type: ignore[method-assign]
    answer(Breaker(store), key)


def test_telling_others_that_it_opened_spoils_nothing(key: BreakerKey) -> None:
    def broken(*told: object) -> None:
        raise ConnectionError

    fail(Breaker(LocalStore(), rules=SOON, on_open=broken), key, Outcome.DENIED)
