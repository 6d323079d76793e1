"""What must hold when everything has come to rest, whatever was killed on the way."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

import psycopg

from apikit import ids
from tests.faults.client import Customer
from tests.faults.harness import BALANCE, Chaos, tenant_uuid

TOLERANCE_MS = 40  # a resampler may add or drop a frame
TERMINAL = ("completed", "failed", "canceled")


@dataclass(slots=True)
class Findings:
    """Everything that is not as it must be, each by its id; all empty is what is wanted."""

    lost: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unbilled: list[str] = field(default_factory=list)
    billed_twice: list[str] = field(default_factory=list)
    billed_wrong: list[str] = field(default_factory=list)
    events_missing: list[str] = field(default_factory=list)
    events_doubled: list[str] = field(default_factory=list)
    webhooks_missing: list[str] = field(default_factory=list)
    webhooks_changed: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    def broken(self) -> dict[str, list[str]]:
        """Only what was found."""
        return {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}


def settle(chaos: Chaos, customer: Customer, *, limit_s: float = 90.0) -> None:
    """Wait until all jobs of the tenant have ended and everything that follows has been done."""
    with chaos.database() as rows:
        chaos.await_true(lambda: not _pending(rows, customer), f"{customer.name} at rest", limit_s=limit_s)
    chaos.await_true(lambda: not _unheard(chaos, customer), f"{customer.name}'s webhooks", limit_s=limit_s)


def check_invariants(
    chaos: Chaos, customer: Customer, *, failed: frozenset[str] = frozenset(), replayed: frozenset[str] = frozenset()
) -> None:
    """Fails with everything that does not hold; jobs in `failed` failed on purpose, `replayed` ended twice."""
    broken = look(chaos, customer, failed=failed, replayed=replayed).broken()
    if broken:
        raise AssertionError(json.dumps(broken, indent=1))


def look(
    chaos: Chaos, customer: Customer, *, failed: frozenset[str] = frozenset(), replayed: frozenset[str] = frozenset()
) -> Findings:
    """Compare what the customer sent with what the database, the store, the broker and the receiver hold."""
    found = Findings()
    with chaos.database() as rows:
        jobs = _jobs(rows, customer)
        _look_at_jobs(found, jobs, customer, failed=failed)
        _look_at_bills(found, rows, jobs, customer)
        _look_at_events(found, rows, jobs, customer, chaos=chaos, replayed=replayed)
        _look_at_leftovers(found, rows, jobs, customer, chaos=chaos, letters_of=failed | replayed)
    _look_at_broker(found, chaos)
    return found


def _pending(rows: psycopg.Connection[Any], customer: Customer) -> bool:
    sql = """SELECT EXISTS (SELECT 1 FROM job WHERE tenant_id = %(t)s AND state IN ('queued', 'running'))
      OR EXISTS (SELECT 1 FROM lane WHERE tenant_id = %(t)s AND active)
      OR EXISTS (SELECT 1 FROM due_date WHERE tenant_id = %(t)s AND due_at <= now())
      OR EXISTS (SELECT 1 FROM outbox_event WHERE tenant_id = %(t)s AND position IS NULL)
      OR EXISTS (SELECT 1 FROM delivery WHERE tenant_id = %(t)s AND state IN ('pending', 'leased'))"""
    return _scalar(rows, sql, {"t": tenant_uuid(customer.id)})


def _unheard(chaos: Chaos, customer: Customer) -> set[str]:
    with chaos.database() as rows:
        sql = "SELECT id FROM outbox_event WHERE tenant_id = %s AND type LIKE 'transcription.%%'"
        sent = {ids.show(ids.EVENT, row[0]) for row in rows.execute(sql, [tenant_uuid(customer.id)])}
    return sent - chaos.receiver.bodies().keys()


def _jobs(rows: psycopg.Connection[Any], customer: Customer) -> dict[str, dict[str, Any]]:
    sql = "SELECT id, state, error_code, measured_ms, event_sequence, segments_left FROM job WHERE tenant_id = %s"
    names = ("uuid", "state", "error_code", "measured_ms", "event_sequence", "segments_left")
    found = rows.execute(sql, [tenant_uuid(customer.id)]).fetchall()
    return {ids.show(ids.TRANSCRIPTION, row[0]): dict(zip(names, row, strict=True)) for row in found}


def _look_at_jobs(
    found: Findings, jobs: dict[str, dict[str, Any]], customer: Customer, *, failed: frozenset[str]
) -> None:
    asked = {job.id for job in customer.submitted}
    found.lost += sorted(asked - jobs.keys())
    found.unasked += sorted(jobs.keys() - asked)
    for key, job in jobs.items():
        if job["state"] not in TERMINAL:
            found.unfinished.append(key)
        elif (job["state"] != "completed") != (key in failed):
            found.failed.append(f"{key} {job['state']} {job['error_code']}")
        elif job["state"] == "completed" and job["segments_left"]:
            found.unfinished.append(f"{key} has {job['segments_left']} segments left")


def _look_at_bills(
    found: Findings, rows: psycopg.Connection[Any], jobs: dict[str, dict[str, Any]], customer: Customer
) -> None:
    sql = "SELECT subject_id, raw_quantity, amount, engine FROM usage_entry WHERE tenant_id = %s AND kind <> 'cost'"
    entries = rows.execute(sql, [tenant_uuid(customer.id)]).fetchall()
    count = Counter(ids.show(ids.TRANSCRIPTION, entry[0]) for entry in entries)
    by_engine = Counter((ids.show(ids.TRANSCRIPTION, entry[0]), entry[3]) for entry in entries)
    twice = {job for (job, _), times in by_engine.items() if times > 1}
    quantity: Counter[str] = Counter()
    for entry in entries:  # a job that has moved is billed for the parts of each of its engines
        quantity[ids.show(ids.TRANSCRIPTION, entry[0])] += entry[1]
    sent_ms = {job.id: job.duration_ms for job in customer.submitted}
    for key, job in jobs.items():
        if (job["state"] == "completed") != (count[key] > 0):
            found.unbilled.append(f"{key} {job['state']} has {count[key]} entries")
        elif key in twice:
            found.billed_twice.append(key)
        elif count[key] and not quantity[key] == job["measured_ms"] == _near(sent_ms.get(key, -1), quantity[key]):
            found.billed_wrong.append(f"{key}: sent {sent_ms.get(key)}, billed {quantity[key]}, {job['measured_ms']}")
    spent = sum((entry[2] for entry in entries), Decimal(0))
    held, balance = rows.execute(
        "SELECT held, balance FROM wallet WHERE tenant_id = %s", [tenant_uuid(customer.id)]
    ).fetchone() or (None, None)
    if (held, balance) != (0, BALANCE - spent):
        found.billed_wrong.append(f"wallet holds {held}, balance {balance}, spent {spent}")


def _near(sent_ms: int, billed_ms: int) -> int:
    return billed_ms if abs(sent_ms - billed_ms) <= TOLERANCE_MS else sent_ms


def _look_at_events(
    found: Findings,
    rows: psycopg.Connection[Any],
    jobs: dict[str, dict[str, Any]],
    customer: Customer,
    *,
    chaos: Chaos,
    replayed: frozenset[str],
) -> None:
    sql = "SELECT id, subject_id, type, sequence, body FROM outbox_event WHERE tenant_id = %s AND type LIKE %s"
    events = rows.execute(sql, [tenant_uuid(customer.id), "transcription.%"]).fetchall()
    received = chaos.receiver.bodies()
    by_job: dict[str, list[tuple[int, str]]] = {}
    for event_id, subject, kind, sequence, body in events:
        by_job.setdefault(ids.show(ids.TRANSCRIPTION, subject), []).append((sequence, kind))
        got = received.get(ids.show(ids.EVENT, event_id), [])
        if not got:
            found.webhooks_missing.append(ids.show(ids.EVENT, event_id))
        elif set(got) != {bytes(body)}:
            found.webhooks_changed.append(ids.show(ids.EVENT, event_id))
    for key, job in jobs.items():
        ends = sorted(by_job.get(key, []))
        wanted = 2 if key in replayed else 1
        if len(ends) < wanted or ends[-1] != (wanted, f"transcription.{job['state']}"):
            found.events_missing.append(f"{key} {job['state']} {ends}")
        elif len(ends) > wanted:
            found.events_doubled.append(f"{key} {ends}")
    if chaos.receiver.refused:
        found.webhooks_changed.append(f"{chaos.receiver.refused} wrong signatures")


def _look_at_leftovers(
    found: Findings,
    rows: psycopg.Connection[Any],
    jobs: dict[str, dict[str, Any]],
    customer: Customer,
    *,
    chaos: Chaos,
    letters_of: frozenset[str],
) -> None:
    tenant = tenant_uuid(customer.id)
    for table, condition in (("work_item", "true"), ("lane", "active"), ("hold", "true")):
        sql = f"SELECT count(*) FROM {table} WHERE tenant_id = %s AND {condition}"
        if count := _scalar(rows, sql, [tenant]):
            found.left_over.append(f"{count} in {table}")
    for letter, job_id in rows.execute("SELECT id, job_id FROM dead_letter WHERE tenant_id = %s", [tenant]):
        if ids.show(ids.TRANSCRIPTION, job_id) not in letters_of:
            found.dead_letters.append(str(letter))
    checkpoints = f'SELECT count(*) FROM "t_{tenant.hex}".checkpoint'
    kept = {job["uuid"].hex for job in jobs.values() if job["state"] == "failed"}
    if not kept and (count := _scalar(rows, checkpoints, [])):
        found.left_over.append(f"{count} checkpoints")
    _look_at_objects(found, rows, tenant, kept=kept, chaos=chaos, known={job["uuid"].hex for job in jobs.values()})


def _look_at_objects(
    found: Findings, rows: psycopg.Connection[Any], tenant: Any, *, kept: set[str], chaos: Chaos, known: set[str]
) -> None:
    due = {row[0].hex for row in rows.execute("SELECT subject_id FROM due_date WHERE tenant_id = %s", [tenant])}
    root = chaos.home.objects / "objects" / "t" / tenant.hex
    for data in root.rglob("*%data"):
        kind, owner, *rest = data.relative_to(root).parts
        owner = owner.removesuffix("%data")
        if kind == "jobs" and owner not in known:
            found.orphans.append(str(data.relative_to(root)))
        elif kind == "jobs" and rest[0] == "work" and owner not in kept:
            found.left_over.append(f"work object: {data.relative_to(root)}")
        elif kind == "uploads" and owner not in due:
            found.left_over.append(f"upload without a due date: {data.relative_to(root)}")


def _look_at_broker(found: Findings, chaos: Chaos) -> None:
    """Wherever the broker keeps messages, they may be nothing but hints."""
    client = chaos.redis()
    for key in client.keys("*"):
        if client.type(key) == b"list":
            messages = [json.loads(each) for each in client.lrange(key, 0, -1)]
        elif key == b"unacked":
            messages = [json.loads(each)[0] for each in client.hvals(key)]
        else:
            continue
        found.left_over += [f"message in {key.decode()}" for each in messages if not _is_wakeup(each)]
    client.close()


def _is_wakeup(message: dict[str, Any]) -> bool:
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    return message["headers"]["task"] == "dispatch.wake" and len(arguments) == 1


def _scalar(rows: psycopg.Connection[Any], sql: str, values: Any) -> Any:
    row = rows.execute(sql, values).fetchone()
    return row[0] if row else None
