"""A real sender process, killed at its worst moments: around a POST, within and between a replay's steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.webhooks.steps import send, shown

PROGRAM = """
import django
django.setup()
import threading
from webhooks.facade import run_sender
stop = threading.Event()
run_sender(stop)
"""


@pytest.fixture
def start(tmp_path: Path, receiver: Any) -> Any:
    """Starts senders as processes; what is still alive at the end is killed."""
    processes: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        roots = [str(Path(__file__).parents[2] / "platform"), str(Path(__file__).parents[2])]
        more = {
            "PYTHONPATH": os.pathsep.join(roots),
            "PARLANCE_MODE": "development",
            "PARLANCE_LEASE_S": "2",
            "PARLANCE_EGRESS_ALLOW": receiver.host_port,
            "PARLANCE_FAILPOINT_DIR": str(tmp_path),
        }
        processes.append(subprocess.Popen([sys.executable, "-c", PROGRAM], env=os.environ | more))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("moment", "arrivals"), [("webhook.before_post", 1), ("webhook.after_post", 2)])
def test_nothing_is_lost_when_the_sender_is_killed(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, start: Any, tmp_path: Path, moment: str, arrivals: int
) -> None:
    assert settings.DATABASES["system"]["NAME"]  # the processes take the same databases from the environment
    (tmp_path / moment).touch()
    publish()
    assert start().wait(20) == -signal.SIGKILL
    assert [row["state"] for row in rows("SELECT state FROM delivery")] == ["leased"]
    start()
    receiver.wait(arrivals)
    assert len({got.id for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    for _ in range(200):
        [row] = rows("SELECT state, attempt, pg_sleep(0.05) FROM delivery")
        if row["state"] == "delivered":
            break
    assert (row["state"], row["attempt"], len(receiver.got)) == ("delivered", 2, arrivals)


@pytest.mark.parametrize("moment", ["replay.uncommitted", "replay.committed"])
def test_a_replay_goes_on_where_it_was_when_the_sender_is_killed(
    alice: Any,
    endpoint: Any,
    receiver: Any,
    publish: Any,
    http: Any,
    rows: Any,
    start: Any,
    tmp_path: Path,
    moment: str,
) -> None:
    count = 210  # three steps
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET max_in_flight = 16")
    for number in range(count):
        publish(number=number)
    while send():
        pass
    receiver.got.clear()
    path = f"/v1/webhook-endpoints/{shown(endpoint)}"
    wish = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    assert http(alice, "POST", f"{path}/replay", wish)[1]["expected_count"] == count
    for _ in range(2):
        (tmp_path / moment).touch()
        assert start().wait(30) == -signal.SIGKILL
    start()
    for _ in range(400):
        [replay] = rows("SELECT state, opened, pg_sleep(0.05) FROM webhook_replay")
        [open_ones] = rows("SELECT count(*) AS left FROM delivery WHERE state <> 'delivered'")
        if replay["state"] == "completed" and open_ones["left"] == 0:
            break
    assert (replay["state"], replay["opened"], open_ones["left"]) == ("completed", count, 0)
    assert len({got.id for got in receiver.got}) == count
    # Opened once each: whatever came twice was on its way when its sender died.
    [made] = rows("SELECT count(*) AS attempts, count(finished_at) AS told FROM delivery_attempt")
    assert made["told"] == 2 * count
    assert len(receiver.got) <= made["attempts"] - count
