"""What is billed of work that did not finish: exactly what had become readable, as streams and ledger say alike."""

from __future__ import annotations

import signal
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.faults.client import Customer
from tests.faults.harness import Chaos
from tests.streams.reader import (
    all_events,
    billed_ms,
    cancel,
    job_row,
    reading,
    segments_of,
    until_segments,
    used_ms,
)
from workers.supervisor import processes

LONG_MS = 30_000
WORKER = "worker"


@dataclass(frozen=True)
class Reference:
    """The same recording heard to its end: its segments, and where its parts end."""

    segments: list[Any]
    ends_ms: list[int]

    def part_end_ms(self, segments: int) -> int:
        """The end of the part that brings the number of segments to at least this many."""
        return self.ends_ms[bisect_left(self.ends_ms, self.segments[segments - 1]["end_ms"])]

    def within(self, end_ms: int) -> list[Any]:
        """The segments of the parts up to there."""
        return [segment for segment in self.segments if segment["end_ms"] <= end_ms]


@pytest.fixture(scope="module")
def reference(new_customer: Any) -> Reference:
    customer = new_customer()
    events = all_events(customer.http, customer.submit(LONG_MS, simulate="slow:200").id)
    ends_ms = [event.data["done_ms"] for event in events if event.name == "progress" and event.data["done_ms"]]
    ends_ms = sorted({*ends_ms, LONG_MS})
    assert len(ends_ms) >= 3
    assert len(segments_of(events)) > len(ends_ms)
    return Reference(segments_of(events), ends_ms)


def check_billed(chaos: Chaos, customer: Customer, job_id: str, *, read: list[Any], reference: Reference) -> int:
    """What was read is what the canceled job shows and what the ledger has; returns it in milliseconds."""
    shown, ms = customer.http.get(f"/v1/transcriptions/{job_id}").json(), billed_ms(chaos, job_id)
    assert (shown["status"], shown.get("segments", [])) == ("canceled", read)
    assert ms == job_row(chaos, job_id)["readable_ms"]
    assert used_ms(customer) == sum(billed_ms(chaos, job.id) for job in customer.submitted)
    assert ms in (0, *reference.ends_ms)
    assert read == reference.within(ms)
    assert (shown["cost"] is None) == (ms == 0)
    return ms


def test_a_cancel_after_each_segment_bills_what_was_read(
    chaos: Chaos, customer: Customer, reference: Reference
) -> None:
    before_the_last_part = len(reference.within(reference.ends_ms[-2]))  # with the last one the job is done
    for count in range(1, before_the_last_part + 1):
        job = customer.submit(LONG_MS, simulate="slow:1000")
        with reading(customer.http, job.id) as events:
            seen = until_segments(events, count)
            cancel(customer, job.id)
            seen += list(events)
        ms = check_billed(chaos, customer, job.id, read=segments_of(seen), reference=reference)
        assert ms >= reference.part_end_ms(count)
        assert (seen[-1].name, seen[-1].data) == ("canceled", customer.get(job))


def test_what_nobody_read_is_not_billed(chaos: Chaos, customer: Customer, reference: Reference) -> None:
    job = customer.submit(LONG_MS, simulate="slow:300")
    chaos.await_true(lambda: job_row(chaos, job.id)["done_ms"] > 0, "a part that was heard")
    cancel(customer, job.id)
    assert check_billed(chaos, customer, job.id, read=[], reference=reference) == 0


def test_a_canceled_job_that_had_not_begun_costs_nothing(chaos: Chaos, customer: Customer) -> None:
    pid = chaos.pids()[WORKER]
    processes.send(pid, number=signal.SIGSTOP)
    try:
        job = customer.submit(LONG_MS)
        with reading(customer.http, job.id) as events:
            first = next(events)
            cancel(customer, job.id)
            *_, last = events
    finally:
        processes.send(pid, number=signal.SIGCONT)
    assert (first.name, first.data["status"]) == ("status", "queued")
    assert (last.name, last.data["cost"]) == ("canceled", None)
    assert (billed_ms(chaos, job.id), used_ms(customer)) == (0, 0)


def test_a_failed_job_costs_nothing_whatever_was_read_of_it(chaos: Chaos, customer: Customer) -> None:
    job = customer.submit(LONG_MS, simulate="slow:1000")
    with reading(customer.http, job.id) as events:
        until_segments(events, 1)
        with chaos.database() as rows:
            sql = (
                "UPDATE job SET deadline_at = now() - interval '1 second' WHERE state = 'running' RETURNING readable_ms"
            )
            [(readable_ms,)] = rows.execute(sql).fetchall()
        *_, last = events
    assert readable_ms > 0
    assert (last.name, last.data["error"]["code"], last.data["cost"]) == ("failed", "deadline_exceeded", None)
    assert (billed_ms(chaos, job.id), used_ms(customer)) == (0, 0)


def test_a_client_that_disconnects_changes_nothing_and_reads_no_further(
    chaos: Chaos, customer: Customer, reference: Reference
) -> None:
    job = customer.submit(LONG_MS, simulate="slow:700")
    with reading(customer.http, job.id) as events:
        seen = segments_of(until_segments(events, 1))
    before = job_row(chaos, job.id)
    chaos.await_true(lambda: job_row(chaos, job.id)["segments_left"] < before["segments_left"] - 1, "two more parts")
    now = job_row(chaos, job.id)
    assert (now["state"], now["readable_ms"]) == ("running", before["readable_ms"])
    cancel(customer, job.id)
    read = customer.get(job)["segments"]
    assert read[: len(seen)] == seen
    assert check_billed(chaos, customer, job.id, read=read, reference=reference) == before["readable_ms"]


def test_a_disconnected_job_completes_as_if_nothing_had_been(
    chaos: Chaos, customer: Customer, reference: Reference
) -> None:
    job = customer.submit(LONG_MS, simulate="slow:150")
    with reading(customer.http, job.id) as events:
        until_segments(events, 1)
    events_after = all_events(customer.http, job.id)
    assert segments_of(events_after) == reference.segments
    assert (billed_ms(chaos, job.id), used_ms(customer)) == (LONG_MS, LONG_MS)


def test_a_kill_of_the_web_process_mid_stream_loses_nothing_and_bills_what_was_read(
    chaos: Chaos, customer: Customer, reference: Reference
) -> None:
    job = customer.submit(LONG_MS, simulate="slow:6000")
    [pid] = chaos.web_children()
    with reading(customer.http, job.id) as events:
        seen = until_segments(events, 1)
        chaos.kill_pid(pid, name="web child")
        with pytest.raises(httpx.TransportError):
            seen += list(events)  # what was under way may still arrive
    answers = customer.repeat(lambda: customer.http.get("/readyz"))
    assert answers.status_code == 200
    assert chaos.web_children() != [pid]
    with reading(customer.http, job.id, after=seen[-1].id) as events:
        more = until_segments(events, len(reference.within(reference.ends_ms[0])))  # one of the second part too
        cancel(customer, job.id)
        more += list(events)
    ms = check_billed(chaos, customer, job.id, read=segments_of([*seen, *more]), reference=reference)
    assert ms >= reference.ends_ms[1]


def test_a_web_process_that_is_told_to_stop_cuts_its_streams_and_goes(chaos: Chaos, customer: Customer) -> None:
    job, pid = customer.submit(simulate="slow:60000"), chaos.pids()["web"]
    with reading(customer.http, job.id) as events:
        assert next(events).name == "status"
        processes.send(pid, number=signal.SIGTERM)
        chaos.await_true(lambda: chaos.pids().get("web", pid) != pid, "another web process", limit_s=30)
        with pytest.raises(httpx.TransportError):
            list(events)
    assert customer.repeat(lambda: customer.http.get("/readyz")).status_code == 200
    assert cancel(customer, job.id)["status"] == "canceled"


def test_a_job_whose_web_process_died_before_it_woke_anybody_runs_all_the_same(
    chaos: Chaos, customer: Customer
) -> None:
    chaos.arm("wake.before")
    job = customer.submit(3_000)
    chaos.await_fired("wake.before")
    assert all_events(customer.http, job.id)[-1].name == "completed"
    assert (len(customer.submitted), billed_ms(chaos, job.id)) == (1, 3_000)
