"""A tenant reads its own usage and prices over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connections
from ninja.testing import TestClient

from billing.facade import (
    close_period,
    erase_tag,
    fold_usage,
    keep_names,
    list_statements,
    rate_month,
    settle,
    statement_of,
)
from billing.periods import content_of
from billing.statements.rerating import rated_otherwise
from config.api import api
from tenants.facade import authenticate, create_key

JANUARY = {"from": "2001-01-01T00:00:00Z", "to": "2001-02-01T00:00:00Z"}


@pytest.fixture
def get() -> Callable[..., Any]:
    """GET as someone's live key, or as a caller."""
    client = TestClient(api)
    return lambda someone, path, **query: client.get(
        path, query_params=query, scope={"parlance.caller": getattr(someone, "caller", someone)}
    )


@pytest.fixture
def busy(alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any]) -> Any:
    """Alice with four minutes in January 2001, around midnight in Seoul."""
    for at, minutes, engine in [
        (datetime(2001, 1, 10, 14, 59, tzinfo=UTC), 1, "simulated"),
        (datetime(2001, 1, 10, 15, 0, tzinfo=UTC), 1, "simulated"),
        (datetime(2001, 1, 10, 23, 0, tzinfo=UTC), 2, "pocketsphinx"),
    ]:
        done = job(alice)
        with inside(alice):
            done.hold(expected=60 * 60_000)
            done.settle(line(minutes, engine=engine), occurred_at=at)
    return alice


def test_it_sums_by_engine_and_mode(busy: Any, get: Callable[..., Any]) -> None:
    answer = get(busy, "/usage", **JANUARY)

    assert answer.status_code == 200
    assert answer.json() == {
        "object": "usage",
        **JANUARY,
        "time_zone": "UTC",
        "data": [
            {"meter": "audio_ms", "engine": "pocketsphinx", "mode": "batch", "quantity": 120_000, "amount": "0.0012",
             "currency": "USD", "jobs": 1},
            {"meter": "audio_ms", "engine": "simulated", "mode": "batch", "quantity": 120_000, "amount": "0.012",
             "currency": "USD", "jobs": 2},
        ],
        "totals": [{"currency": "USD", "amount": "0.0132"}],
    }  # fmt: skip


@pytest.mark.parametrize(("zone", "starts"), [
    ("UTC", ["2001-01-10T00:00:00Z", "2001-01-10T00:00:00Z"]),
    ("Asia/Seoul", ["2001-01-09T15:00:00Z", "2001-01-10T15:00:00Z", "2001-01-10T15:00:00Z"]),
])  # fmt: skip
def test_a_day_begins_at_local_midnight(busy: Any, get: Callable[..., Any], zone: str, starts: list[str]) -> None:
    data = get(busy, "/usage", group="day", time_zone=zone, **JANUARY).json()["data"]
    assert [one["start"] for one in data] == starts
    assert sum(one["jobs"] for one in data) == 3


def test_hours_are_buckets_too(busy: Any, get: Callable[..., Any]) -> None:
    data = get(busy, "/usage", group="hour", time_zone="Asia/Kolkata", **JANUARY).json()["data"]
    assert [(one["start"], one["jobs"]) for one in data] == [("2001-01-10T14:30:00Z", 2), ("2001-01-10T22:30:00Z", 1)]


def test_the_range_is_half_open(busy: Any, get: Callable[..., Any]) -> None:
    data = get(busy, "/usage", **{"from": "2001-01-10T14:59:00Z", "to": "2001-01-11T00:00:00+09:00"}).json()["data"]
    assert [(one["engine"], one["quantity"]) for one in data] == [("simulated", 60_000)]


def test_charlie_sees_none_of_it(busy: Any, charlie: Any, get: Callable[..., Any]) -> None:
    answer = get(charlie, "/usage", **JANUARY).json()
    assert (answer["data"], answer["totals"]) == ([], [{"currency": "USD", "amount": "0"}])


def test_without_a_range_it_tells_this_month(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], get: Callable[..., Any]
) -> None:
    with inside(alice):
        done = job(alice)
        done.hold()
        done.settle()
    answer = get(alice, "/usage").json()
    assert answer["from"] == f"{datetime.now(UTC):%Y-%m}-01T00:00:00Z"
    assert [one["quantity"] for one in answer["data"]] == [60_000]


@pytest.mark.parametrize(("query", "field"), [
    ({"from": "yesterday"}, "from"),
    ({"from": "2001-01-01"}, "from"),
    ({"to": "2001-01-01T00:00:00"}, "to"),
    ({"to": "1700000000"}, "to"),
    ({"from": "0001-01-01T00:00:00Z"}, "from"),
    ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
    ({"from": "2001-02-01T00:00:00Z", "to": "2001-01-01T00:00:00Z"}, "from"),
    ({"from": "2001-01-01T00:00:00Z", "to": "2002-01-01T00:00:00Z", "group": "hour"}, "from"),
    ({"group": "minute"}, "group"),
    ({"time_zone": "Seoul"}, "time_zone"),
    ({"form": "2001-01-01T00:00:00Z"}, "form"),
])  # fmt: skip
def test_a_wrong_query_is_refused_with_its_field(
    alice: Any, get: Callable[..., Any], query: dict[str, str], field: str
) -> None:
    answer = get(alice, "/usage", **query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["/usage", "/prices"])
def test_a_key_without_the_scope_is_refused(alice: Any, get: Callable[..., Any], path: str) -> None:
    key = create_key(alice.id, scopes=["speech:write"])
    answer = get(authenticate(key.secret, address="127.0.0.1"), path)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_prices_are_the_callers_own_currency(alice: Any, get: Callable[..., Any]) -> None:
    answer = get(alice, "/prices").json()
    demo = [one for one in answer["data"] if (one["engine"], one["mode"]) == ("pocketsphinx", "batch")]
    assert answer["version"] == 1
    assert demo == [
        {"engine": "pocketsphinx", "model": "", "mode": "batch", "meter": "audio_ms", "unit_price": "0.0006",
         "unit_size": 60_000, "currency": "USD", "increment_ms": 1, "minimum_ms": 0, "per_channel": False,
         "feature": "", "included": 0, "tier_mode": "", "tiers": []},
    ]  # fmt: skip


def test_usage_is_one_query(busy: Any, get: Callable[..., Any], statements: Callable[[], Any]) -> None:
    get(busy, "/usage", **JANUARY)
    with statements() as done:
        get(busy, "/usage", **JANUARY)
    assert len(done) == 1


def test_folding_the_sums_changes_no_answer(busy: Any, get: Callable[..., Any]) -> None:
    asked = [{**JANUARY, "group": "day", "time_zone": "Asia/Seoul", "by": "engine,key"}, JANUARY]
    before = [get(busy, "/usage", **query).json() for query in asked]
    fold_usage()
    assert [get(busy, "/usage", **query).json() for query in asked] == before
    assert fold_usage() == 0


def test_usage_by_tag_survives_the_erasing_of_its_name(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any], get: Callable[..., Any]
) -> None:
    for tags in (["red", "blue"], ["red"], []):
        done = job(alice)
        with inside(alice):
            done.hold()
            keep_names(alice.id, tags)
            settle(
                done.id, tenant_id=alice.id, livemode=True, api_key_id=alice.caller.key_id, tags=tags,
                subject_created_at=done.created_at, lines=[line(1)],
            )  # fmt: skip

    def by_tag(**query: str) -> dict[str, int]:
        answer = get(alice, "/usage", by="tag", **query).json()
        assert query or [total["amount"] for total in answer["totals"]] == ["0.018"]
        return {one["tag"]: one["jobs"] for one in answer["data"]}

    assert by_tag() == {"red": 2, "blue": 1}
    assert get(alice, "/usage", tag="red").json()["totals"] == [{"currency": "USD", "amount": "0.012"}]
    with inside(alice):
        assert erase_tag("red")
    assert by_tag() == {"erased": 2, "blue": 1}


def test_erasing_a_tag_leaves_a_closed_month_as_it_was(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any], unused_month: date
) -> None:
    done = job(alice)
    with inside(alice):
        done.hold()
        keep_names(alice.id, ["red"])
        settle(
            done.id, tenant_id=alice.id, livemode=True, api_key_id=alice.caller.key_id, tags=["red"],
            subject_created_at=done.created_at, lines=[line(1)],
            occurred_at=datetime(unused_month.year, 1, 9, tzinfo=UTC),
        )  # fmt: skip
    closed = close_period(unused_month)
    rate_month(unused_month)
    (statement,) = list_statements(period=unused_month, tenant_id=alice.id)

    with inside(alice):
        assert erase_tag("red")
    with connections["system"].cursor() as cursor:
        assert content_of(cursor, unused_month) == (closed.entries, closed.content_hash)
    assert list(rated_otherwise(unused_month, using="system")) == []
    assert statement_of(statement.id).content_hash == statement.content_hash


@pytest.mark.parametrize(("query", "field"), [({"by": "colour"}, "by"), ({"api_key": "mine"}, "api_key")])
def test_a_wrong_dimension_is_refused(alice: Any, get: Callable[..., Any], query: dict[str, str], field: str) -> None:
    answer = get(alice, "/usage", **query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
