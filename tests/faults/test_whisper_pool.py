"""The Whisper pool in a whole stack: from an upload to the webhook, and what a `kill -9` leaves of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from tiny_whisper.fixture import errors, lay_weights, recording, wav

from tests.faults.client import Customer, Submitted
from tests.faults.harness import Chaos, tenant_uuid
from tests.faults.invariants import check_invariants, settle
from tests.stack import bare_environment
from workers.supervisor import processes
from workers.supervisor.front import python_path

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
POOLS = ("pool-tiny", "pool-tiny.2")
ATTEMPTS = 4


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """A stack of one worker and two pools, whose parts are short."""
    folder = tmp_path_factory.mktemp("pools")
    settings = {
        "PARLANCE_WHISPER_DIR": str(lay_weights(folder / "models")), "PARLANCE_WORKERS": "1", "PARLANCE_POOLS": "2",
        "PARLANCE_SEGMENT_WORK_MS": "500", "PARLANCE_WHISPER_ROWS": "4",
    }  # fmt: skip
    with Chaos(folder / "chaos", settings=settings) as running:
        yield running


def test_an_upload_becomes_text_usage_and_a_webhook(pools: Chaos) -> None:
    customer = pools.customer("whisper")
    jobs = {}
    for language in ("en", "ko"):
        texts, sound = recording(language, sentences=3, seed=5)
        jobs[language] = sent(customer, wav(sound), by_upload=True), texts
    settle(pools, customer)
    for language, (job, texts) in jobs.items():
        told = transcript(customer, job)
        assert errors(" ".join(texts), told["text"]) <= 2
        assert told["language"] == language
        assert told["words"][0]["text"] == texts[0].split()[0]  # in Korean an eojeol, never half of one
        assert customer.get(job)["engine"] == "whisper-tiny"
    maps = {name: Path(f"/proc/{pid}/maps") for name, pid in pools.pids().items()}
    loaded = {name for name, path in maps.items() if path.exists() and "libtorch" in path.read_text()}
    assert loaded == set(POOLS)  # neither web nor worker nor scheduler
    check_invariants(pools, customer)  # a bill of the measured length and one signed webhook each


def test_a_killed_pool_loses_and_bills_nothing_twice_while_two_share_the_queue(pools: Chaos) -> None:
    customer = pools.customer("killed")
    sounds = [recording(language, sentences=14, seed=seed) for language in ("en", "ko") for seed in (1, 2)]
    jobs = [sent(customer, wav(sound)) for _, sound in sounds]
    pools.await_true(lambda: kept(pools, customer) >= 2, "a first part that is kept")
    pools.arm("transcribe.worked", services=POOLS)
    pools.await_fired("transcribe.worked", services=POOLS)
    pools.kill(POOLS[1])
    settle(pools, customer)
    check_invariants(pools, customer)
    for (texts, _), job in zip(sounds, jobs, strict=True):
        told, heard = " ".join(texts), transcript(customer, job)["text"]
        assert errors(told, heard) <= 0.15 * len(told.split())  # the tiny model is not perfect; a lost part is 20 words


def test_a_pool_that_is_told_to_leave_finishes_what_it_began_and_gives_back_the_rest(pools: Chaos) -> None:
    customer = pools.customer("leaving")
    with asleep(pools, POOLS), another_pool(pools) as leaving:
        for seed in (1, 2, 3):
            sent(customer, wav(recording("en", sentences=14, seed=seed)[1]))
        pools.await_true(lambda: kept(pools, customer) >= 1 and in_hand(pools, customer) > 2, "more parts than rows")
        leaving.terminate()
        assert leaving.wait(timeout=120) == 0
        assert in_hand(pools, customer) == 0  # no lease is left to run out
        assert attempts(pools, customer) == {0}  # and nothing has lost an attempt by being given back
    settle(pools, customer)
    check_invariants(pools, customer)


@pytest.mark.long
def test_a_part_that_kills_its_pool_fails_its_own_job_and_no_other(pools: Chaos) -> None:
    victim, bystander = pools.customer("poison"), pools.customer("bystander")
    point = f"whisper.heard.{tenant_uuid(victim.id).hex}"
    with asleep(pools, POOLS[1:]):  # so that all of them are always in one process
        pools.arm(point, services=POOLS)
        job = sent(victim, wav(recording("en", sentences=1, seed=7)[1]))
        for seed in (1, 2, 3):  # more than there are rows: some are there whenever the pool dies
            sent(bystander, wav(recording("en", sentences=14, seed=seed)[1]))
        for _ in range(ATTEMPTS - 1):
            pools.await_fired(point, services=POOLS, limit_s=90)
            pools.arm(point, services=POOLS)
        pools.await_fired(point, services=POOLS, limit_s=90)
        settle(pools, bystander, limit_s=240)  # each of its parts that was there twice is heard alone
        settle(pools, victim)
    check_invariants(pools, bystander)
    check_invariants(pools, victim, failed=frozenset({job.id}))
    assert victim.get(job)["error"]["code"] == "worker_died"


def sent(customer: Customer, content: bytes, **how: Any) -> Submitted:
    """Nothing is named: the pool is what is taken where there is one."""
    return customer.submit_file(content, duration_ms=(len(content) - 44) // 32, **how)


def transcript(customer: Customer, job: Submitted) -> dict[str, Any]:
    answer = customer.http.get(f"/v1/transcriptions/{job.id}/transcript")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kept(pools: Chaos, customer: Customer) -> int:
    """Parts whose text is kept."""
    sql = "SELECT coalesce(sum(segments_total - segments_left), 0) FROM job WHERE tenant_id = %s"
    with pools.database() as rows:
        return int(rows.execute(sql, [tenant_uuid(customer.id)]).fetchone()[0])  # type: ignore[index]


def in_hand(pools: Chaos, customer: Customer) -> int:
    """Parts that a pool holds."""
    sql = "SELECT count(*) FROM work_item WHERE tenant_id = %s AND step = 'transcribe' AND state = 'leased'"
    with pools.database() as rows:
        return int(rows.execute(sql, [tenant_uuid(customer.id)]).fetchone()[0])  # type: ignore[index]


def attempts(pools: Chaos, customer: Customer) -> set[int]:
    """How often the parts that nobody has heard yet were tried."""
    sql = "SELECT DISTINCT attempt FROM work_item WHERE tenant_id = %s AND step = 'transcribe'"
    with pools.database() as rows:
        return {int(row[0]) for row in rows.execute(sql, [tenant_uuid(customer.id)])}


@contextmanager
def asleep(pools: Chaos, names: Sequence[str]) -> Iterator[None]:
    """These pools do nothing meanwhile."""
    pools.await_up()
    pids = [pools.pids()[name] for name in names]
    try:
        for pid in pids:
            processes.send(pid, number=signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            processes.send(pid, number=signal.SIGCONT)


@contextmanager
def another_pool(pools: Chaos) -> Iterator[subprocess.Popen[bytes]]:
    """A pool of this installation that no supervisor starts again."""
    own = {
        "PARLANCE_POOL_MODEL": "tiny", "PARLANCE_METRICS_PORT": "", "PARLANCE_WHISPER_ROWS": "2",
        "PYTHONPATH": python_path(),
    }  # fmt: skip
    with pools.home.log("pool-of-the-test").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.pool"], env=bare_environment() | pools.env | own, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
