"""A real sender process, killed at the two worst moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

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
