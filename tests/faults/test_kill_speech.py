"""`kill -9` while texts are spoken: every job is finished, billed once, and its file is whole."""

from __future__ import annotations

import contextlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.faults.client import Customer
from tests.faults.harness import WORKERS, Chaos, tenant_uuid

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
POINTS = ("claimed.speak", "speak.worked", "checkpoint.uncommitted", "merge.worked", "finish.uncommitted")
LONG = "This is one of very many sentences that are said. " * 100


def speak(customer: Customer, text: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
    """One order under a key of its own, however often it has to be sent."""
    sent = {"Idempotency-Key": uuid4().hex} | (headers or {})
    body = {"text": text, "engine": "simulated", "format": "wav", "reuse": "never"}
    return customer.repeat(lambda: customer.http.post("/v1/speech", json=body, headers=sent))


def finished(chaos: Chaos, customer: Customer, speech_id: str) -> Any:
    def get() -> Any:
        return customer.repeat(lambda: customer.http.get(f"/v1/speech/{speech_id}")).json()

    chaos.await_true(lambda: get()["status"] not in {"queued", "running"}, f"{speech_id} to end")
    return get()


def entries(chaos: Chaos, customer: Customer) -> list[int]:
    with chaos.database() as rows:
        sql = "SELECT raw_quantity FROM usage_entry WHERE tenant_id = %s AND kind = 'usage'"
        return sorted(row[0] for row in rows.execute(sql, [tenant_uuid(customer.id)]))


def test_workers_that_die_while_they_speak_lose_and_double_nothing(chaos: Chaos) -> None:
    customer, texts = chaos.customer("speaker"), []
    for number, point in enumerate(POINTS):
        texts.append(f"{number} {LONG}")
        chaos.arm(point, services=WORKERS)
        made = speak(customer, texts[-1], headers={"Prefer": "respond-async"})
        chaos.await_fired(point, services=WORKERS)
        done = finished(chaos, customer, made.json()["id"])
        assert done["status"] == "completed"
        words = texts[-1].split()
        assert done["audio"]["duration_ms"] == sum(60 * len(word) + 60 for word in words)
    assert entries(chaos, customer) == sorted(len(text.strip()) for text in texts)


def test_a_web_process_that_dies_while_it_sends_leaves_the_job_to_a_worker(chaos: Chaos) -> None:
    customer, text = chaos.customer("cut-off"), "A short sentence that is cut off in the middle."
    chaos.arm("live.read")
    body = {"text": text, "engine": "simulated", "format": "wav", "reuse": "never"}
    with contextlib.suppress(httpx.TransportError):
        customer.http.post("/v1/speech", json=body)
    chaos.await_fired("live.read")
    [job] = customer.repeat(lambda: customer.http.get("/v1/speech")).json()["data"]
    assert finished(chaos, customer, job["id"])["status"] == "completed"
    assert entries(chaos, customer) == [len(text)]
