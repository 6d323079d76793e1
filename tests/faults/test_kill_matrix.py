"""`kill -9` at every named step and of every process: nothing is lost and nothing is billed twice."""

from __future__ import annotations

import json
import signal
import socket
import threading
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.client import Customer
from tests.faults.harness import ENGINE, WORKERS, Chaos, opened_sizes, tenant_uuid
from tests.faults.invariants import check_invariants, look, settle
from tests.faults.sounds import LONG_MS, tone
from tests.faults.together import at_once
from workers.supervisor import processes

# Three, because five crashes of one service in half a minute end the whole stack, and other tests kill it too.
WEB_POINTS = ("accept.before", "accept.uncommitted", "accept.committed")
WORKER_POINTS = (
    "claimed.prepare", "prepare.started", "prepare.worked", "prepare.committed", "claimed.transcribe",
    "transcribe.worked", "checkpoint.uncommitted", "checkpoint.committed", "claimed.merge", "merge.worked",
    "finish.uncommitted", "finish.committed",
)  # fmt: skip
SCHEDULER_POINTS = ("fanout.uncommitted", "webhook.before_post", "webhook.after_post")
pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
POISON_MS = 1_234_567  # a length, and so a size, that no other file has


def test_a_kill_at_every_named_step_loses_nothing_and_bills_once(chaos: Chaos) -> None:
    customer = chaos.customer("steps")
    customer.submit(LONG_MS)
    at_once(
        lambda: die_at_each(WEB_POINTS, chaos=chaos, customer=customer, services=()),
        lambda: die_at_each(WORKER_POINTS, chaos=chaos, customer=customer, services=WORKERS),
        lambda: die_at_each(SCHEDULER_POINTS, chaos=chaos, customer=customer, services=("scheduler",)),
    )
    settle(chaos, customer)
    check_invariants(chaos, customer)


def test_an_accept_that_died_leaves_no_audio_that_nobody_knows_of(chaos: Chaos) -> None:
    customer = chaos.customer("orphan")
    die_at_each(("accept.uncommitted",), chaos=chaos, customer=customer, services=())
    settle(chaos, customer)
    check_invariants(chaos, customer)
    assert look(chaos, customer).orphans == []


def test_a_job_whose_wake_up_was_never_sent_runs_within_seconds(chaos: Chaos) -> None:
    customer = chaos.customer("unwoken")
    die_at_each(("accept.committed",), chaos=chaos, customer=customer, services=())
    settle(chaos, customer, limit_s=10)  # no other job is there whose wake-up could help
    check_invariants(chaos, customer)


def test_killed_services_lose_nothing_of_what_runs_meanwhile(chaos: Chaos) -> None:
    customer, done = chaos.customer("batch"), threading.Event()

    def kill() -> None:
        try:
            kill_each_service(chaos)
            chaos.await_true(lambda: len(customer.submitted) >= 20, "twenty jobs")
        finally:
            done.set()

    customer.submit(LONG_MS, simulate="slow:700")
    at_once(kill, lambda: customer.submit_until(done, simulate="slow:300"))
    settle(chaos, customer)
    check_invariants(chaos, customer)


def test_an_upload_cut_by_a_kill_of_the_api_becomes_one_job(chaos: Chaos) -> None:
    customer, key, content = chaos.customer("cut"), uuid4().hex, tone(120_000)
    head = (
        f"POST /v1/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: {customer.http.headers['Authorization']}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 999999\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="call.wav"\r\n\r\n'
    ).encode()
    with socket.create_connection(("127.0.0.1", chaos.stack.port), timeout=30) as connection:
        connection.sendall(head + content[: len(content) // 2])
        writes = chaos.home.objects / "tmp"
        chaos.await_true(lambda: any(writes.iterdir()), "the first half in the store")
        [pid] = chaos.web_children()
        chaos.kill_pid(pid, name="web child")
        assert connection.recv(1) == b""
    customer.submit_file(content, duration_ms=120_000, key=key, engine="simulated")
    settle(chaos, customer)
    check_invariants(chaos, customer)


def test_a_killed_engine_hears_again_and_is_billed_once(chaos: Chaos, speech_clips: list[Path]) -> None:
    clip = next(each for each in speech_clips if each.suffix == ".wav")
    with wave.open(str(clip)) as file:
        duration_ms = file.getnframes() * 1000 // file.getframerate()
    customer = chaos.customer("speech")
    before = set(chaos.children(WORKERS, word=ENGINE))
    job = customer.submit_file(clip.read_bytes(), duration_ms=duration_ms, engine="pocketsphinx")
    chaos.await_true(lambda: bool(chaos.children(WORKERS, word=ENGINE)), "an engine's process")
    for pid in set(chaos.children(WORKERS, word=ENGINE)) | before:
        chaos.kill_pid(pid, name="engine")
    settle(chaos, customer)
    check_invariants(chaos, customer)
    assert customer.get(job)["engine"] == "pocketsphinx"


def test_a_worker_that_slept_beyond_its_lease_changes_nothing_when_it_wakes(chaos: Chaos) -> None:
    customer, slots = chaos.customer("zombie"), 2 * len(WORKERS)
    pid = chaos.pids()[WORKERS[0]]
    fill(chaos, customer, slots=slots)
    processes.send(pid, number=signal.SIGSTOP)
    chaos.await_true(lambda: taken_over(chaos, customer) > 0, "other workers to take over")
    processes.send(pid, number=signal.SIGCONT)
    settle(chaos, customer)
    fill(chaos, customer, slots=slots)  # also the sleeper's: its late writes were refused and it works again
    settle(chaos, customer)
    assert chaos.pids()[WORKERS[0]] == pid
    check_invariants(chaos, customer)


def test_a_poisonous_file_ends_as_a_dead_letter_whose_replay_completes(chaos: Chaos) -> None:
    victim, bystander = chaos.customer("poison"), chaos.customer("bystander")
    job = victim.submit(POISON_MS)
    with hunter(chaos, size_bytes=len(tone(POISON_MS))) as deaths:
        bystander.submit(5_000)
        settle(chaos, bystander)
        chaos.await_true(lambda: ended(chaos, victim), "the poison to fail")
    settle(chaos, victim)
    assert len(deaths) == 4
    check_invariants(chaos, bystander)
    check_invariants(chaos, victim, failed=frozenset({job.id}))
    assert victim.get(job)["error"]["code"] == "media_decoder_failed"
    [letter] = [each for each in dead_letters(chaos) if each["job"] == job.id]
    assert (letter["step"], int(letter["attempts"])) == ("prepare", 4)
    chaos.stack.parlance("dead-letters", "replay", letter["id"])
    settle(chaos, victim)
    check_invariants(chaos, victim, replayed=frozenset({job.id}))


def die_at_each(
    points: Sequence[str], *, chaos: Chaos, customer: Customer, services: Sequence[str], **fields: str
) -> None:
    """One job per point; some process dies there, and the next point follows at once."""
    for number, point in enumerate(points):
        chaos.arm(point, services=services)
        customer.submit(2_000 + 1_000 * number, by_upload=number % 2 == 1, **fields)
        chaos.await_fired(point, services=services)


def kill_each_service(chaos: Chaos) -> None:
    """Every service once; the next when all are back."""
    for name in ("scheduler", "worker-2", "redis", "postgres", "web"):
        chaos.kill(name)
        chaos.await_up()
    chaos.flush_broker()
    for pid in chaos.decoders():
        chaos.kill_pid(pid, name="decoder")
    for pid in chaos.web_children():
        chaos.kill_pid(pid, name="web child")


@contextmanager
def hunter(chaos: Chaos, *, size_bytes: int) -> Iterator[list[int]]:
    """Kills every decoder that opens a file of this size, as a file would that makes it crash."""
    stop, deaths = threading.Event(), list[int]()

    def hunt() -> None:
        while not stop.is_set():
            for pid in chaos.decoders():
                if pid not in deaths and size_bytes in opened_sizes(pid):
                    chaos.kill_pid(pid, name="decoder")
                    deaths.append(pid)

    thread = threading.Thread(target=hunt)
    thread.start()
    try:
        yield deaths
    finally:
        stop.set()
        thread.join()


def fill(chaos: Chaos, customer: Customer, *, slots: int) -> None:
    """Give every slot of every worker a segment that takes a while."""
    for _ in range(slots):
        customer.submit(simulate="slow:2500")
    chaos.await_true(lambda: in_hand(chaos, customer) == slots, "every slot to be at work")


def in_hand(chaos: Chaos, customer: Customer) -> int:
    """Segments that a worker holds now."""
    sql = "SELECT count(*) FROM work_item WHERE tenant_id = %s AND step = 'transcribe' AND state = 'leased'"
    return count(chaos, customer, sql=sql)


def taken_over(chaos: Chaos, customer: Customer) -> int:
    """Segments that somebody else has begun anew."""
    return count(chaos, customer, sql="SELECT count(*) FROM work_item WHERE tenant_id = %s AND attempt > 1")


def ended(chaos: Chaos, customer: Customer) -> bool:
    """Whether no job runs any more; what waits for its next attempt need not wait long."""
    with chaos.database() as rows:
        rows.execute("UPDATE work_item SET not_before = now() WHERE state = 'waiting'")
    sql = "SELECT count(*) FROM job WHERE tenant_id = %s AND state IN ('queued', 'running')"
    return count(chaos, customer, sql=sql) == 0


def count(chaos: Chaos, customer: Customer, *, sql: str) -> int:
    with chaos.database() as rows:
        row = rows.execute(sql, [tenant_uuid(customer.id)]).fetchone()
    return int(row[0]) if row else 0


def dead_letters(chaos: Chaos) -> list[dict[str, Any]]:
    return list(json.loads(chaos.stack.parlance("dead-letters", "list", "--json"))["data"])
