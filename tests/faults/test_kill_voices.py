"""`kill -9` while providers speak a long text: one job, one bill, and what was spoken is not spoken again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.fakes.provider import MS_PER_CHARACTER
from tests.faults.client import Customer
from tests.faults.clouds import Clouds
from tests.faults.harness import WORKERS, Chaos, tenant_uuid
from tests.faults.test_kill_speech import entries, finished

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
LONG = " ".join(f"이 문장은 {number:04}번째이고 한 목소리로 말해집니다." for number in range(350))


def ordered(chaos: Chaos, customer: Customer, **wishes: str) -> Any:
    """A job of a dozen parts; nothing is held against its provider."""
    with chaos.redis() as broker:
        broker.flushall()  # circuits too, and nothing that would be lost
    body = {"text": LONG, "format": "wav", "reuse": "never"} | wishes
    return customer.repeat(lambda: customer.http.post("/v1/speech", json=body)).json()


def kept(chaos: Chaos, customer: Customer) -> int:
    """How many parts are spoken and kept."""
    with chaos.database() as rows:
        table = f'"t_{tenant_uuid(customer.id).hex}".checkpoint'
        return int(rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # type: ignore[arg-type, index]


def test_parts_that_a_killed_worker_had_kept_are_not_spoken_again(chaos: Chaos, clouds: Clouds) -> None:
    customer, polly = chaos.customer("long-text"), clouds.polly
    polly.begin(speaks=3)
    job = ordered(chaos, customer, voice="polly/Seoyeon")
    chaos.await_true(lambda: kept(chaos, customer) == 3, "three parts to be spoken and kept")
    spoken = [asked.json()["Text"] for asked in polly.asked[:3]]
    chaos.arm("checkpoint.uncommitted", services=WORKERS)
    polly.may_go_on.set()
    chaos.await_fired("checkpoint.uncommitted", services=WORKERS)
    done = finished(chaos, customer, job["id"])

    assert (done["status"], done["audio"]["duration_ms"]) == ("completed", MS_PER_CHARACTER * len(LONG))
    assert entries(chaos, customer) == [len(LONG)]
    calls = Counter(asked.json()["Text"] for asked in polly.asked)
    assert [calls[text] for text in spoken] == [1, 1, 1]
    assert max(calls.values()) == 2  # a part that was under way in the process that died


def test_a_kill_while_another_voice_takes_over_bills_that_voice_once(chaos: Chaos, clouds: Clouds) -> None:
    customer, polly, azure = chaos.customer("other-voice"), clouds.polly, clouds.azure
    polly.begin(speaks=3, refuses=True)
    azure.asked.clear()
    job = ordered(chaos, customer)
    assert job["voice"] == "polly/Seoyeon"
    chaos.await_true(lambda: kept(chaos, customer) == 3, "three parts to be spoken and kept")
    chaos.arm("failover.uncommitted", services=WORKERS)
    polly.may_go_on.set()
    chaos.await_fired("failover.uncommitted", services=WORKERS)
    done = finished(chaos, customer, job["id"])

    assert (done["status"], done["voice"]) == ("completed", "azure/ko-KR-SunHiNeural")
    assert done["audio"]["duration_ms"] == pytest.approx(MS_PER_CHARACTER * len(LONG), abs=2)
    assert entries(chaos, customer) == [len(LONG)]
    assert max(Counter(asked.body for asked in azure.asked).values()) == 1  # nothing is spoken twice by the one billed
