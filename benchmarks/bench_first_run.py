"""A newcomer's first run: `parlance up` on an empty home to the end of its demo; then a later run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import common
from workers.supervisor.front import python_path

GOAL = "first run to the printed end of the demo <= 60 s"
MAX_FIRST_S = 60.0
LIMIT_S = 90.0
LAST_EVENT = "demo.key"  # the demo's last word: the key, and a curl line to try next


def _start(home: Path) -> dict[str, float]:
    """Seconds to /readyz and to the end of the demo; then Ctrl-C, and the seconds that stopping took."""
    begun = time.monotonic()
    argv = [sys.executable, "-P", "-m", "workers.cli", "up", "--json", "--home", str(home), "--port"]
    env = common.bare_environment() | {"PYTHONPATH": python_path()}
    # stderr is kept: its end says why a start failed.
    with (home.parent / "up.err").open("ab") as errors:
        child = subprocess.Popen(
            [*argv, str(common.free_port())], env=env, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    seen: dict[str, float] = {}
    try:
        assert child.stdout is not None
        for line in child.stdout:
            event = json.loads(line)
            seen.setdefault(event.get("event", ""), time.monotonic() - begun)
            if event.get("event") == "demo.failed" or LAST_EVENT in seen or time.monotonic() - begun > LIMIT_S:
                break
        if LAST_EVENT not in seen:
            tail = (home.parent / "up.err").read_text("utf-8", "replace")[-1000:]
            raise RuntimeError(f"the demo did not end; seen: {sorted(seen)}; stderr ends: {tail}")
    finally:
        stopped = time.monotonic()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    return {
        "ready_s": common.tidy(seen["up"]),
        "transcript_s": common.tidy(seen["demo.transcript"]),
        "demo_end_s": common.tidy(seen[LAST_EVENT]),
        "stop_s": common.tidy(time.monotonic() - stopped),
    }


def measure() -> dict[str, Any]:
    """Twice on the same home."""
    with common.temporary_folder() as folder:
        first, later = _start(folder / "home"), _start(folder / "home")
    return {"first": first, "later": later, "goal": GOAL, "reached": first["demo_end_s"] <= MAX_FIRST_S}


if __name__ == "__main__":
    common.run("first_run", measure, limit_s=200)
