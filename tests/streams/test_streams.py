"""Server-sent events of a real stack: order, completeness, resuming, limits, and who may read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.faults.client import Customer
from tests.faults.harness import Chaos
from tests.streams.conftest import LIMIT, TENANT_LIMIT
from tests.streams.reader import Event, all_events, cancel, reading, segments_of, until_segments

LONG_MS = 40_000
UNKNOWN = "trn_01aaaaaaaaaaaaaaaaaaaaaaaa"
PATH = "/v1/transcriptions/{}/stream"


@pytest.fixture(scope="module")
def done(new_customer: Callable[[], Customer]) -> tuple[Customer, str, list[Event]]:
    """A job that was followed from its beginning to its end."""
    customer = new_customer()
    job = customer.submit(LONG_MS, simulate="slow:100")
    return customer, job.id, all_events(customer.http, job.id)


def test_the_segments_come_in_order_and_are_those_of_the_transcript(done: tuple[Customer, str, list[Event]]) -> None:
    customer, job_id, events = done
    shown = customer.http.get(f"/v1/transcriptions/{job_id}").json()
    assert len(shown["segments"]) >= 8
    assert segments_of(events) == shown["segments"]
    assert events[-1] == Event("completed", "end", shown)
    assert [event.id for event in events if event.name == "segment"] == [
        str(number) for number in range(1, len(shown["segments"]) + 1)
    ]


def test_status_and_progress_tell_how_far_it_is(done: tuple[Customer, str, list[Event]]) -> None:
    events = done[2]
    states = [event.data for event in events if event.name == "status"]
    assert events[0].name == "status"
    assert {state["status"] for state in states} <= {"queued", "running"}
    assert all("text" not in state and state["id"] == done[1] for state in states)
    heard = [(event.data["total_ms"], event.data["done_ms"]) for event in events if event.name == "progress"]
    assert heard == sorted(set(heard))
    assert len(heard) > 3
    assert {total_ms for total_ms, _ in heard} == {0, LONG_MS}


def test_text_arrives_while_the_job_still_runs(customer: Customer) -> None:
    job = customer.submit(LONG_MS, simulate="slow:300")
    with reading(customer.http, job.id) as events:
        until_segments(events, 1)
        assert customer.get(job)["status"] == "running"


def test_a_reader_cut_after_each_event_gets_the_rest_and_nothing_twice(customer: Customer) -> None:
    job, seen, last = customer.submit(LONG_MS, simulate="slow:150"), list[Any](), None
    while last != "end":
        with reading(customer.http, job.id, after=last) as events:
            one = next(event for event in events if event.name != "status")
        last = one.id
        seen += segments_of([one])
        final = one.data
    assert final["status"] == "completed"
    assert seen == final["segments"]


def test_after_the_end_the_stream_goes_on_behind_any_id(done: tuple[Customer, str, list[Event]]) -> None:
    customer, job_id, events = done
    whole = segments_of(events)
    for number in range(len(whole) + 1):
        rest = all_events(customer.http, job_id, after=str(number))
        assert (segments_of(rest), rest[-1]) == (whole[number:], events[-1])


def test_who_has_the_last_event_is_told_to_stop(done: tuple[Customer, str, list[Event]]) -> None:
    customer, job_id, _ = done
    answer = customer.http.get(PATH.format(job_id), headers={"Last-Event-ID": "end"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_end_of_an_earlier_life_does_not_stop_a_job_that_runs(customer: Customer) -> None:
    job = customer.submit(LONG_MS, simulate="slow:100")
    events = all_events(customer.http, job.id, after="end")
    assert segments_of(events) == events[-1].data["segments"]


@pytest.mark.parametrize("garbage", ["-1", "1.5", "x" * 500, "9" * 40, "٣", ""])
def test_what_is_no_id_reads_from_the_beginning(done: tuple[Customer, str, list[Event]], garbage: str) -> None:
    customer, job_id, events = done
    headers = {"Last-Event-ID": garbage.encode()}
    with customer.http.stream("GET", PATH.format(job_id), headers=headers) as answer:
        text = answer.read().decode()
    assert text.count("event: segment\n") == len(segments_of(events))
    assert text.startswith("retry: 2000\n\n")


def test_a_failed_job_tells_why(customer: Customer) -> None:
    job = customer.submit(simulate="permanent_error")
    events = all_events(customer.http, job.id)
    assert (events[-1].name, events[-1].data) == ("failed", customer.get(job))
    assert events[-1].data["error"]["code"] == "simulated_permanent_error"
    assert segments_of(events) == []


def test_a_deleted_job_ends_its_streams(customer: Customer) -> None:
    job = customer.submit(LONG_MS, simulate="slow:60000")
    with reading(customer.http, job.id) as events:
        assert next(events).name == "status"
        customer.http.delete(f"/v1/transcriptions/{job.id}")
        *_, last = events
    assert last.name in {"canceled", "deleted"}


def test_strangers_and_the_other_mode_get_the_same_as_for_no_job(
    done: tuple[Customer, str, list[Event]], chaos: Chaos
) -> None:
    customer, job_id, _ = done
    charlie = chaos.stack.tenant("charlie")
    for client in (charlie.live, charlie.test):
        for path in (PATH.format(job_id), PATH.format(UNKNOWN), PATH.format("garbage")):
            assert_problem(client.get(path), 404, "not_found")
    assert_problem(chaos.stack.client(None).get(PATH.format(job_id)), 401, "invalid_api_key")
    assert customer.http.get(PATH.format(job_id)).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_only_get_opens_a_stream(done: tuple[Customer, str, list[Event]], method: str) -> None:
    answer = done[0].http.request(method, PATH.format(done[1]))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_a_tenant_and_a_process_have_only_so_many(
    customer: Customer, new_customer: Callable[[], Customer], chaos: Chaos
) -> None:
    other, third = new_customer(), new_customer()
    jobs = {each.name: each.submit(simulate="slow:60000").id for each in (customer, other, third)}

    def opened(each: Customer) -> Any:
        return reading(each.http, jobs[each.name])

    with contextlib.ExitStack() as streams:
        each_once = (customer,) * TENANT_LIMIT + (other,) * (LIMIT - TENANT_LIMIT)
        open_ones = [streams.enter_context(opened(each)) for each in each_once]
        assert all(next(events).name == "status" for events in open_ones)
        refused = customer.http.get(PATH.format(jobs[customer.name]))
        assert_problem(refused, 429, "too_many_streams")
        assert refused.headers["retry-after"]
        assert_problem(third.http.get(PATH.format(jobs[third.name])), 503, "too_many_streams")
    chaos.await_true(lambda: _opens(third, jobs[third.name]), "places to be given back")
    for each in (customer, other, third):
        cancel(each, jobs[each.name])


def _opens(customer: Customer, job_id: str) -> bool:
    with customer.http.stream("GET", PATH.format(job_id)) as answer:
        return answer.status_code == 200


def test_a_revoked_key_ends_its_streams(chaos: Chaos, customer: Customer) -> None:
    made = json.loads(chaos.stack.parlance("key", "create", customer.id, "--json"))
    client = chaos.stack.client(made["api_key"] if "api_key" in made else made["secret"])
    job = customer.submit(58_000, simulate="slow:2500")
    with reading(client, job.id) as events:
        assert next(events).name == "status"
        chaos.stack.parlance("key", "revoke", made["id"])
        names = [event.name for event in events]
    assert "completed" not in names
    assert customer.get(job)["status"] == "running"
    cancel(customer, job.id)


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
