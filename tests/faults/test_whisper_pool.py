"""The Whisper pool in a whole stack: from an upload to the webhook, and what a `kill -9` leaves of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from tiny_whisper.fixture import errors, lay_weights, recording, wav

from tests.faults.client import Customer, Submitted
from tests.faults.harness import Chaos, tenant_uuid
from tests.faults.invariants import check_invariants, settle

pytestmark = pytest.mark.timeout(400)  # a busy machine may take a minute to start the stack
POOLS = ("pool-tiny", "pool-tiny.2")


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
