"""`/internal/autoscale`, on a web process of its own database: what waits, in seconds, for whoever has the token."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from stack import Stack, free_port

from tests.api.calls import check_problem
from tests.conftest import Someone
from tests.dispatch.conftest import Desk
from workers.supervisor.front import PYTHON_LOCALE, python_command, python_path

TOKEN = "planted-token-of-the-autoscaler"


@pytest.fixture(scope="module")
def web(migrated: None) -> Iterator[httpx.Client]:
    """The real web process on this test process's database, which no worker serves."""
    port = str(free_port())
    env = os.environ | PYTHON_LOCALE | {"PYTHONPATH": python_path(), "PARLANCE_PORT": port}
    process = subprocess.Popen(python_command("workers.web"), env=env | {"PARLANCE_AUTOSCALE_TOKEN": TOKEN})
    transport = httpx.HTTPTransport(retries=8)  # until it listens: 0.5 s, 1 s, 2 s, ...
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60) as client:
        yield client
    process.terminate()
    process.wait(timeout=60)


def asked(web: httpx.Client, query: str = "") -> Any:
    answer = web.get(f"/internal/autoscale{query}", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def other(desk: Desk) -> Desk:
    """A second executor, tidied up with the first."""
    made = Desk()
    made.executor = f"{desk.executor}-other"
    return made


def test_a_long_file_and_a_short_one_count_their_seconds(
    web: httpx.Client, desk: Desk, other: Desk, alice: Someone
) -> None:
    desk.add(alice, items=1, segment_ms=3_000, cost_ms=300)
    other.add(alice, items=60, segment_ms=180_000, cost_ms=18_000)
    desk.claim()

    short, long = (fresh(web, one.executor) for one in (desk, other))

    assert (short["items"], short["busy_items"], short["audio_seconds"], short["work_seconds"]) == (0, 1, 3.0, 0.3)
    assert (long["items"], long["audio_seconds"], long["work_seconds"]) == (60, 10_800.0, 1_080.0)
    assert long["drain_seconds"] is None  # nobody serves it
    [queue] = long["queues"]
    assert (queue["executor"], queue["service_class"]) == (other.executor, "interactive")


def fresh(web: httpx.Client, executor: str) -> Any:
    """The answer is at most two seconds old: asked until it knows the queue."""
    while not (told := asked(web, f"?executor={executor}"))["queues"]:
        time.sleep(0.1)
    return told


def test_several_executors_are_summed_by_pattern(web: httpx.Client, desk: Desk, alice: Someone) -> None:
    desk.add(alice, items=2, cost_ms=500)
    found = fresh(web, desk.executor)

    assert fresh(web, f"media,{desk.executor[:-2]}*")["work_seconds"] >= found["work_seconds"] == 1.0
    assert asked(web, "?executor=nobody:*")["drain_seconds"] == 0.0


@pytest.mark.parametrize(
    "given", [None, "Bearer guessed", f"Basic {TOKEN}", "Bearer parl_live_" + "0" * 49, "Bearer é"]
)
def test_without_the_token_nothing_is_told(web: httpx.Client, given: str | None) -> None:
    headers = {"Authorization": given.encode("latin-1")} if given else {}
    problem = check_problem(web.get("/internal/autoscale", headers=headers), status=401, code="autoscale_token_wrong")
    assert TOKEN not in str(problem)


def test_it_only_reads(web: httpx.Client) -> None:
    answer = web.post("/internal/autoscale", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_where_no_token_is_set_there_is_no_such_path(stack: Stack) -> None:
    answer = stack.client(None).get("/internal/autoscale", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_api_key"
