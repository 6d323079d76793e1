"""`kill -9` of the web process at every step of a job that it runs itself, for somebody who waits for the answer."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.faults.client import Customer, Submitted
from tests.faults.harness import Chaos
from tests.faults.invariants import check_invariants, look, settle
from tests.faults.sounds import tone

pytestmark = pytest.mark.timeout(400)
DURATION_MS = 3_000


@pytest.mark.parametrize(
    "point", ["fused.decoded", "accept.uncommitted", "accept.committed", "fused.heard", "finish.committed"]
)
def test_a_customer_who_repeats_gets_one_job_and_one_bill(chaos: Chaos, point: str) -> None:
    customer = chaos.customer(point.replace(".", "-"))
    chaos.arm(point)
    key = {"Idempotency-Key": uuid4().hex}
    answer = customer.repeat(lambda: ask(customer, headers=key))
    chaos.await_fired(point)
    remember(customer, answer)
    settle(chaos, customer)
    check_invariants(chaos, customer)
    assert customer.get(customer.submitted[0])["status"] == "completed"


@pytest.mark.parametrize("point", ["accept.committed", "fused.heard", "finish.committed"])
def test_what_was_accepted_is_completed_though_nobody_asks_again(chaos: Chaos, point: str) -> None:
    customer = chaos.customer(f"gone-{point.replace('.', '-')}")
    chaos.arm(point)
    with pytest.raises(httpx.TransportError):
        ask(customer)
    chaos.await_fired(point)
    settle(chaos, customer)
    [found] = customer.repeat(lambda: customer.http.get("/v1/transcriptions")).json()["data"]
    assert found["status"] == "completed"
    customer.submitted.append(Submitted(id=found["id"], key="", duration_ms=DURATION_MS))
    check_invariants(chaos, customer)


def test_what_was_not_accepted_leaves_nothing_but_a_file_that_is_swept(chaos: Chaos) -> None:
    customer = chaos.customer("unaccepted")
    chaos.arm("fused.decoded")
    with pytest.raises(httpx.TransportError):
        ask(customer)
    chaos.await_fired("fused.decoded")
    settle(chaos, customer)
    check_invariants(chaos, customer)
    assert look(chaos, customer).orphans == []
    assert customer.repeat(lambda: customer.http.get("/v1/transcriptions")).json()["data"] == []


def ask(customer: Customer, *, headers: dict[str, str] | None = None) -> httpx.Response:
    """A file that is waited for."""
    fields = {"engine": "simulated", "reuse": "never"}
    files = {"file": ("call.wav", tone(DURATION_MS), "audio/wav")}
    waiting = {"Prefer": "wait=20"} | (headers or {})
    return customer.http.post("/v1/transcriptions", data=fields, files=files, headers=waiting)


def remember(customer: Customer, answer: httpx.Response) -> None:
    """The job that came of it, to be compared with the books."""
    assert answer.status_code in {200, 202}, answer.text
    customer.submitted.append(Submitted(id=answer.json()["id"], key="", duration_ms=DURATION_MS))
