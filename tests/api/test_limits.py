"""Rates of requests, characters and audio: exact under a race, told in headers, kept while Redis is away."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from stack import Stack, Tenant

from apikit.limits.contracts import Charge, Limited, Rate, narrower_of, parse_rates
from apikit.limits.gcra import LUA, decide
from apikit.limits.limiter import Limiter, LocalBuckets
from tests.api.calls import ended, order, transcribe
from tests.api.media import tone

TWENTY = Rate(20, 3600)


@pytest.fixture
def limited(stack: Stack) -> Callable[..., Tenant]:
    def make(*limits: str) -> Tenant:
        tenant = stack.tenant(f"limited-{uuid4().hex[:8]}")
        stack.parlance("tenant", "set", tenant.id, *(f"--limit={one}" for one in limits))
        return tenant

    return make


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(os.environ["REDIS_URL"])


def charges(rate: Rate = TWENTY, *, cost: int = 1, bucket: str | None = None) -> list[Charge]:
    return [Charge(bucket or uuid4().hex, "requests", rate, cost)]


def test_of_200_racing_clients_exactly_20_pass(limiter: Limiter) -> None:
    wanted = charges()

    def knock(_: int) -> bool:
        try:
            limiter.charge(wanted)
        except Limited:
            return False
        return True

    with ThreadPoolExecutor(50) as clients:
        assert sum(clients.map(knock, range(200))) == 20


def test_several_meters_are_taken_together_or_not_at_all(limiter: Limiter) -> None:
    plenty, little = charges(Rate(100, 3600))[0], charges(Rate(1, 3600))[0]
    limiter.charge([plenty, little])

    with pytest.raises(Limited) as refused:
        limiter.charge([plenty, little])

    assert refused.value.violated == ("requests",)
    assert refused.value.standing.left == (99, 0)
    assert limiter.charge([plenty]).left == (98,)


def test_without_redis_each_process_lets_its_part_through() -> None:
    alone = Limiter("redis://127.0.0.1:1/0", processes=4)
    wanted = charges()

    for _ in range(5):
        alone.charge(wanted)
    with pytest.raises(Limited):
        alone.charge(wanted)


charge_lists = st.lists(
    st.builds(
        Charge, st.sampled_from("abc"), st.just("x"), st.builds(Rate, st.integers(1, 1000), st.integers(1, 86_400)),
        st.integers(0, 2000),
    ), min_size=1, max_size=4, unique_by=lambda one: one.bucket,
)  # fmt: skip


@given(charge_lists, st.lists(st.integers(0, 200_000_000_000), min_size=4, max_size=4))
def test_lua_decides_as_python_does(wanted: list[Charge], ahead_us: list[int]) -> None:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    seconds, micros = client.time()
    now_us, prefix = seconds * 1_000_000 + micros, uuid4().hex
    arrivals = [now_us + ahead for ahead in ahead_us[: len(wanted)]]
    keys = [f"{prefix}:{place}" for place in range(len(wanted))]
    client.mset({key: str(at) for key, at in zip(keys, arrivals, strict=True)})
    # The clock of the script stands still here, so that both see the same moment.
    script = LUA.replace("redis.call('TIME')", f"{{{seconds}, {micros}}}")

    values = [value for one in wanted for value in (one.cost, one.rate.quota, one.rate.period_s)]
    passed, wait_us, *rest = client.eval(script, len(keys), *keys, *values)
    expected = decide(wanted, arrivals=arrivals, now_us=now_us)

    assert (bool(passed), wait_us) == (not expected.violated, expected.wait_us)
    assert rest[: len(wanted)] == [at - now_us for at in expected.arrivals]
    assert [place - 1 for place in rest[len(wanted) :]] == list(expected.violated)
    client.delete(*keys)


def test_a_request_beyond_the_rate_is_told_when_to_come_back(limited: Callable[..., Tenant]) -> None:
    alice = limited("requests=3/hour")
    answers = [alice.live.get("/v1/voices") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=3;w=3600'
    assert answers[0].headers["ratelimit"] == '"requests";r=2;t=1200'
    refused = answers[3].json()
    assert refused["code"] == "rate_limited"
    assert refused["violated_policies"] == ["requests"]
    assert 0 < int(answers[3].headers["retry-after"]) <= 1200
    assert alice.test.get("/v1/voices").status_code == 200, "test keys have rates of their own"


def test_openai_clients_are_refused_in_their_own_shape(limited: Callable[..., Tenant]) -> None:
    alice = limited("requests=1/hour")
    alice.live.get("/v1/models")

    refused = alice.live.get("/v1/models")

    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert "retry-after" in refused.headers


def test_a_key_has_a_rate_of_its_own_beside_its_tenants(stack: Stack, limited: Callable[..., Tenant]) -> None:
    alice = limited("requests=100/hour")
    shown = stack.parlance("key", "create", alice.id, "--limit=requests=1/hour", "--json")
    narrow = stack.client(json.loads(shown)["api_key"])

    assert '"key-requests";r=0' in narrow.get("/v1/voices").headers["ratelimit"]
    refused = narrow.get("/v1/voices")

    assert refused.json()["violated_policies"] == ["key-requests"]
    assert alice.live.get("/v1/voices").status_code == 200


def test_characters_are_charged_when_they_are_known(limited: Callable[..., Tenant]) -> None:
    alice = limited("characters=10/hour")
    speak = {"text": "12345678", "format": "pcm"}
    assert alice.test.post("/v1/speech", json=speak).status_code == 200

    assert alice.test.post("/v1/speech", json=speak).status_code == 429
    assert alice.test.post("/v1/speech", json={"text": "12345678901"}).json()["code"] == "rate_limit_too_small"
    assert alice.test.post("/v1/speech", json={"text": "12"}).status_code == 200


@pytest.mark.parametrize("wrong", ["requests=0/minute", "requests=5", "request=5/minute", "requests=5/fortnight"])
def test_what_is_no_rate_is_refused(wrong: str) -> None:
    meter, _, rate = wrong.partition("=")
    with pytest.raises(ValueError, match=r"is no rate|unknown limits"):
        parse_rates({meter: rate})


def test_a_key_cannot_give_more_than_it_has() -> None:
    own: Any = {"requests": Rate(10, 60)}

    assert narrower_of({"requests": Rate(1000, 60)}, own) == own
    assert narrower_of({}, own) == own


def test_local_buckets_say_how_long_until_it_fits() -> None:
    buckets, bucket = LocalBuckets(), uuid4().hex
    buckets.charge(charges(Rate(10, 60), cost=10, bucket=bucket))

    with pytest.raises(Limited) as refused:
        buckets.charge(charges(Rate(10, 60), bucket=bucket))

    assert 5 < refused.value.wait_s <= 6


def test_audio_beyond_the_rate_waits_for_its_turn(limited: Callable[..., Tenant]) -> None:
    alice = limited("audio_seconds=2/2")
    orders = [order(alice.test, tone(2_000, seed=seed)) for seed in range(2)]

    began, finished = zip(*(times(ended(alice.test, accepted.json()["id"])) for accepted in orders), strict=True)

    assert max(finished) - min(began) >= timedelta(seconds=1.5), "the second one waited until the first had paid back"


def test_audio_that_is_waited_for_is_refused_at_once(limited: Callable[..., Tenant]) -> None:
    alice = limited("audio_seconds=2/hour")
    assert order(alice.test, tone(2_000), headers={"Prefer": "wait=30"}).status_code == 200

    refused = order(alice.test, tone(1_000, seed=1), headers={"Prefer": "wait=30"})

    assert refused.status_code == 429
    assert refused.json()["violated_policies"] == ["audio_seconds"]


def test_audio_that_never_fits_the_rate_fails_in_words(limited: Callable[..., Tenant]) -> None:
    shown = transcribe(limited("audio_seconds=2/hour").test, tone(3_000))

    assert shown["status"] == "failed"
    assert shown["error"]["code"] == "rate_limit_too_small"
    assert "3 s" in shown["error"]["detail"]


def times(shown: Any) -> tuple[datetime, datetime]:
    assert shown["status"] == "completed"
    return datetime.fromisoformat(shown["created"]), datetime.fromisoformat(shown["finished_at"])


def test_limits_and_what_is_left_of_them_can_be_asked_for(stack: Stack, limited: Callable[..., Tenant]) -> None:
    alice = limited("requests=10/hour", "characters=100/hour")
    made = json.loads(stack.parlance("key", "create", alice.id, "--limit=requests=5/hour", "--json"))
    narrow = stack.client(made["api_key"])
    alice.live.get("/v1/voices")

    shown = narrow.get("/v1/limits").json()
    assert [(one["name"], one["shared_by"], one["quota"], one["left"]) for one in shown["rates"]] == [
        ("requests", "tenant", 10, 8), ("key-requests", "api_key", 5, 4), ("characters", "tenant", 100, 100),
    ]  # fmt: skip
    assert alice.live.get("/v1/limits").json()["rates"][0]["left"] == 7, "looking took one request and nothing more"


def test_a_charge_of_nothing_only_looks(limiter: Limiter) -> None:
    [rate] = charges(Rate(2, 3600))
    limiter.charge([rate])

    looks = [limiter.charge([replace(rate, cost=0)]).left for _ in range(5)]

    assert looks == [(1,)] * 5
    limiter.charge([rate])
    assert limiter.charge([replace(rate, cost=0)]).left == (0,), "looking passes where nothing is left"
