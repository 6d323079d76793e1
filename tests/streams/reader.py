"""A reader of server-sent events by the letter of the HTML standard, and what the tests ask of a job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from apikit import ids
from tests.faults.client import Customer
from tests.faults.harness import Chaos

FINAL = {"completed", "failed", "canceled", "deleted"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was dispatched."""

    name: str
    id: str
    data: Any


@contextmanager
def reading(client: httpx.Client, job_id: str, *, after: str | None = None) -> Iterator[Iterator[Event]]:
    """The job's events, from behind the given id; leaving the block cuts the connection."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", f"/v1/transcriptions/{job_id}/stream", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["request-id"]
        assert "x-parlance-stream" not in answer.headers
        yield parse(answer.iter_lines())


def parse(lines: Iterator[str]) -> Iterator[Event]:
    """Events out of lines; comments and `retry` say nothing here."""
    fields: dict[str, list[str]] = {}
    last_id = ""
    for line in lines:
        if line == "":
            last_id = fields.get("id", [last_id])[-1]
            if "data" in fields:
                yield Event(fields.get("event", ["message"])[-1], last_id, json.loads("\n".join(fields["data"])))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))


def all_events(client: httpx.Client, job_id: str, *, after: str | None = None) -> list[Event]:
    """Every event from behind the id to the end of the stream, which must be a final one."""
    with reading(client, job_id, after=after) as events:
        found = list(events)
    assert [event.name in FINAL for event in found] == [False] * (len(found) - 1) + [True]
    return found


def until_segments(events: Iterator[Event], count: int) -> list[Event]:
    """Events up to the one that brings the number of segments to `count`."""
    found: list[Event] = []
    while len(segments_of(found)) < count:
        found.append(next(events))
    return found


def segments_of(events: Sequence[Event]) -> list[Any]:
    """The segments, in order."""
    return [event.data for event in events if event.name == "segment"]


def job_row(chaos: Chaos, job_id: str) -> dict[str, Any]:
    """What the register says."""
    names = ("state", "readable_ms", "done_ms", "segments_total", "segments_left")
    with chaos.database() as rows:
        row = rows.execute(f"SELECT {', '.join(names)} FROM job WHERE id = %s", [_uuid(job_id)]).fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))


def billed_ms(chaos: Chaos, job_id: str) -> int:
    """What the ledger has of the job."""
    with chaos.database() as rows:
        found = rows.execute("SELECT raw_quantity FROM usage_entry WHERE subject_id = %s", [_uuid(job_id)]).fetchall()
    assert len(found) <= 1
    return sum(row[0] for row in found)


def used_ms(customer: Customer) -> int:
    """All usage of the tenant as the API shows it."""
    return sum(line["quantity"] for line in customer.http.get("/v1/usage").json()["data"])


def cancel(customer: Customer, job_id: str) -> Any:
    """The canceled job."""
    answer = customer.http.post(f"/v1/transcriptions/{job_id}/cancel")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _uuid(job_id: str) -> Any:
    return ids.parse(ids.TRANSCRIPTION, job_id)
