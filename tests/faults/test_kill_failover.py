"""`kill -9` while a job moves from one provider to another: one bill, what was heard is kept, and polled not paid."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.faults.client import Customer, Submitted
from tests.faults.clouds import CATALOGUE_S, Clouds
from tests.faults.harness import WORKERS, Chaos, tenant_uuid
from tests.faults.invariants import check_invariants, settle
from tests.faults.sounds import tone
from tests.faults.test_kill_cloud import attempts

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
LONG_MS = 170_000  # four parts of what Google takes, of which it hears three
# At these the second provider has begun what nobody knows of; at those its id was written down, or nothing was begun.
PAID_AGAIN = ("attempt.answered", "attempt.uncommitted")
PAID_ONCE = ("failover.uncommitted", "attempt.waits", "attempt.resumed")
_FASTER = """INSERT INTO engine_quality (engine, model, language, clips, failed, audio_ms, ms_per_audio_s)
 VALUES ('google', 'chirp_3', 'en', 1, 0, 1000, 1) ON CONFLICT DO NOTHING"""


def test_a_kill_around_a_move_to_the_next_provider_bills_once(chaos: Chaos, clouds: Clouds) -> None:
    customer, before = chaos.customer("moving"), len(clouds.works())
    for number, point in enumerate((*PAID_ONCE, *PAID_AGAIN)):
        chaos.arm(point, services=WORKERS)
        submit(customer, 2_000 + 1_000 * number, allow=["deepgram", "assemblyai"])
        chaos.await_fired(point, services=WORKERS)
    settle(chaos, customer)
    check_invariants(chaos, customer)
    paid, calls = len(clouds.works()) - before, attempts(chaos, customer)
    assert len(customer.submitted) <= paid <= len(customer.submitted) + len(PAID_AGAIN)
    assert [call for call in calls if call[1] == "interrupted" and call[2]] == []  # an id that was known is polled
    done = [job for job, outcome, _ in calls if outcome == "done"]
    assert Counter(done).most_common(1)[0][1] == 1
    assert len(done) == len(customer.submitted)
    assert {engine for engine, *_ in entries(chaos, customer, kind="usage")} == {"assemblyai"}


def test_what_the_first_provider_has_heard_outlives_a_kill_of_the_move(chaos: Chaos, clouds: Clouds) -> None:
    customer = chaos.customer("keeping")
    prefer_google(chaos)
    asked, works = clouds.recognized(), len(clouds.works())
    chaos.arm("failover.uncommitted", services=WORKERS)
    job = submit(customer, LONG_MS, allow=["google", "assemblyai"], optimize="latency")
    chaos.await_true(lambda: heard_ms(chaos, customer) > LONG_MS * 6 // 10, "three parts to be heard and kept")
    clouds.google.may_refuse.set()
    chaos.await_fired("failover.uncommitted", services=WORKERS)
    settle(chaos, customer)
    check_invariants(chaos, customer)

    assert clouds.recognized() - asked == clouds.google.hears + 2  # refused once more after the kill, heard once each
    assert len(clouds.works()) - works == 1
    billed = dict(entries(chaos, customer, kind="usage"))
    assert billed.keys() == {"google", "assemblyai"}
    assert sum(billed.values()) == customer.get(job)["duration_ms"]
    words = customer.get(job)["words"]
    assert [word["start_ms"] for word in words] == sorted(word["start_ms"] for word in words)


def prefer_google(chaos: Chaos) -> None:
    """It goes first where speed counts, in every process once each has read the measurements anew."""
    with chaos.database() as rows:
        rows.execute(_FASTER)
    known_at = time.monotonic() + CATALOGUE_S + 0.2
    chaos.await_true(lambda: time.monotonic() > known_at, "measurements to be read anew")


def submit(customer: Customer, duration_ms: int, **routing: Any) -> Submitted:
    """A recording whose engine nobody names."""
    return customer.submit_file(
        tone(duration_ms), duration_ms=duration_ms, language="en", routing=json.dumps(routing), word_timestamps="true"
    )


def heard_ms(chaos: Chaos, customer: Customer) -> int:
    """How much of the customer's recordings is heard and kept."""
    with chaos.database() as rows:
        row = rows.execute("SELECT sum(done_ms) FROM job WHERE tenant_id = %s", [tenant_uuid(customer.id)]).fetchone()
    return int(row[0] or 0) if row else 0


def entries(chaos: Chaos, customer: Customer, *, kind: str) -> list[tuple[str, int]]:
    """Engine and quantity in the ledger."""
    sql = "SELECT engine, raw_quantity FROM usage_entry WHERE tenant_id = %s AND kind = %s"
    with chaos.database() as rows:
        return rows.execute(sql, [tenant_uuid(customer.id), kind]).fetchall()
