"""The supervisor with harmless fake services: order, readiness, restarts, stops, and an empty machine afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers.supervisor import processes
from workers.supervisor.front import python_command, python_path
from workers.supervisor.plan import Event, Plan, Probe, Service

pytestmark = pytest.mark.skipif(not processes.ON_LINUX, reason="needs /proc to look for left-overs")

FAKE = """
import os, signal, subprocess, sys, time
name, journal, flags = sys.argv[2:5]
def note(what):
    with open(journal, "a") as out:
        out.write(what + " " + name + "\\n")
def stop(number, frame):
    note("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in flags else stop)
note("start")
if "child" in flags:
    code = "import os,signal,time; signal.signal(15, signal.SIG_IGN); os.setsid(); time.sleep(600)"
    subprocess.Popen([sys.executable, "-ISc", code, sys.argv[1]])
if "broken" in flags:
    print("the reason is in the log", flush=True)
    sys.exit(3)
if "step" in flags:
    time.sleep(0.1)
    note("done")
    sys.exit(0)
fd = os.environ.get("PARLANCE_READY_FD")
if fd:
    time.sleep(0.1)
    note("ready")
    os.write(int(fd), b"ready\\n")
while True:
    time.sleep(600)
"""


def living(token: str) -> list[int]:
    """Return the processes whose command line carries the token."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and token.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def eventually(check: Callable[[], bool], *, limit_s: float) -> bool:
    """Look until the check holds; False when it never did in time."""
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        if check():
            return True
        time.sleep(0.02)
    return check()


class Stage:
    """A supervisor process with fake services, and the journal they write."""

    def __init__(self, folder: Path) -> None:
        self.token = f"fake-{uuid.uuid4().hex}"
        self.folder = folder
        self.journal = folder / "journal"
        self.started: list[subprocess.Popen[str]] = []

    def fake(self, name: str, *, flags: str = "", probe: str = "ready_fd", grace_s: float = 5) -> Service:
        argv = (sys.executable, "-ISc", FAKE, self.token, name, str(self.journal), flags)
        return Service(
            name=name,
            argv=argv,
            env={"PATH": os.environ["PATH"]},
            cwd=str(self.folder),
            probe=Probe("exit" if "step" in flags else probe),  # type: ignore[arg-type]  # a literal from a test
            log=str(self.folder / f"{name}.log"),
            grace_s=grace_s,
        )

    def start(self, *services: Service, **options: float) -> subprocess.Popen[str]:
        front = subprocess.Popen(
            python_command("workers.supervisor"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path()},
        )
        self.started.append(front)
        assert front.stdin is not None
        front.stdin.write(Plan(services, **options).to_json() + "\n")  # type: ignore[arg-type]  # floats only
        front.stdin.close()
        return front

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []


def wait_for(front: subprocess.Popen[str], *, kind: str, name: str = "") -> Event:
    """Read events until the wanted one."""
    assert front.stdout is not None
    for line in front.stdout:
        event = Event.from_json(line)
        if event.kind == kind and name in ("", event.name):
            return event
    raise AssertionError(f"no event {kind} {name}")


def rest(front: subprocess.Popen[str]) -> list[Event]:
    assert front.stdout is not None
    return [Event.from_json(line) for line in front.stdout]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    for front in stage.started:
        front.kill()
        front.wait()
        assert front.stdout is not None
        front.stdout.close()
    assert eventually(lambda: not living(stage.token), limit_s=5), "a test left processes behind"


def test_it_starts_each_service_when_the_one_before_is_ready_and_stops_in_reverse(stage: Stage) -> None:
    front = stage.start(stage.fake("one"), stage.fake("step", flags="step"), stage.fake("two"))
    wait_for(front, kind="up")
    assert stage.lines() == [*("start one", "ready one", "start step", "done step", "start two", "ready two")]
    front.send_signal(signal.SIGINT)
    assert [event.name for event in rest(front) if event.kind == "stopped"] == ["two", "one"]
    assert stage.lines()[-2:] == ["stop two", "stop one"]
    assert front.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_5_s_after_the_supervisor_is_stopped_or_killed(stage: Stage, number: signal.Signals) -> None:
    rude = stage.fake("rude", flags="deaf child", grace_s=30)
    # SIGTERM proves the promise with the real limit; Ctrl-C takes the same way, with a shorter one.
    front = stage.start(
        stage.fake("calm", flags="child"), rude, **({"hurry_s": 0.5} if number == signal.SIGINT else {})
    )
    wait_for(front, kind="up")
    assert eventually(lambda: len(living(stage.token)) == 4, limit_s=5)
    front.send_signal(number)
    assert eventually(lambda: not living(stage.token), limit_s=5)
    assert eventually(lambda: not guardians_of(front.pid), limit_s=1)


def guardians_of(pid: int) -> list[int]:
    return [child for child, parent in processes.parents().items() if parent == pid and child != pid]


def test_nothing_is_left_5_s_after_the_guardian_is_killed(stage: Stage) -> None:
    front = stage.start(stage.fake("calm", flags="child"), stage.fake("rude", flags="deaf child", grace_s=30))
    wait_for(front, kind="up")
    (guardian,) = guardians_of(front.pid)
    os.kill(guardian, signal.SIGKILL)
    assert eventually(lambda: not living(stage.token), limit_s=5)
    assert front.wait() == 1
    assert rest(front)[-1].kind == "lost"


def test_a_killed_service_is_started_again_and_its_left_overs_are_cleared(stage: Stage) -> None:
    front = stage.start(stage.fake("worker", flags="child"))
    first = wait_for(front, kind="ready", name="worker")
    wait_for(front, kind="up")
    assert eventually(lambda: len(living(stage.token)) == 2, limit_s=5)
    before = set(living(stage.token))
    os.kill(first.pid, signal.SIGKILL)
    exited = wait_for(front, kind="exited", name="worker")
    assert exited.detail == "was killed by SIGKILL"
    again = wait_for(front, kind="ready", name="worker")
    assert again.pid != first.pid
    assert not before & set(living(stage.token))


def test_a_service_that_keeps_crashing_stops_everything_and_shows_its_log(stage: Stage) -> None:
    front = stage.start(stage.fake("first"), stage.fake("broken", flags="broken", probe="running"))
    failed = wait_for(front, kind="failed")
    assert failed.name == "broken"
    assert "the reason is in the log" in failed.tail
    assert front.wait() == 1
    assert stage.lines()[-1] == "stop first"


def test_five_kills_in_half_a_minute_are_too_many(stage: Stage) -> None:
    front = stage.start(stage.fake("worker"))
    for _ in range(4):
        os.kill(wait_for(front, kind="ready", name="worker").pid, signal.SIGKILL)
    os.kill(wait_for(front, kind="ready", name="worker").pid, signal.SIGKILL)
    assert "too often" in wait_for(front, kind="failed", name="worker").detail
    assert front.wait() == 1


def test_a_service_that_is_not_ready_in_time_is_named(stage: Stage) -> None:
    mute = stage.fake("mute", flags="broken", probe="http")
    slow = Service(
        name="slow",
        argv=(sys.executable, "-ISc", "import time; time.sleep(600)", stage.token),
        env=mute.env,
        cwd=mute.cwd,
        probe=Probe("redis", str(stage.folder / "none.sock")),
        ready_limit_s=0.2,
    )
    assert wait_for(stage.start(slow), kind="failed").detail == "was not ready after 0.2 s"


def test_a_drain_gives_the_whole_grace_and_a_second_ctrl_c_cuts_it(stage: Stage) -> None:
    front = stage.start(stage.fake("rude", flags="deaf", grace_s=60))
    wait_for(front, kind="up")
    front.send_signal(signal.SIGUSR1)
    wait_for(front, kind="stopping")
    assert not eventually(lambda: not living(stage.token), limit_s=0.5)
    for _ in range(2):  # two signals sent at once would arrive as one
        front.send_signal(signal.SIGINT)
        eventually(lambda: not living(stage.token), limit_s=0.5)
    assert wait_for(front, kind="stopped", name="rude").detail == "killed"
    assert front.wait() == 0


def test_a_companion_may_fail_without_stopping_the_services(stage: Stage) -> None:
    broken = stage.fake("demo", flags="broken", probe="running")
    front = stage.start(stage.fake("web"), companion=broken)  # type: ignore[arg-type]  # options are not all floats
    assert wait_for(front, kind="companion", name="demo").code == 3
    assert front.poll() is None


def test_two_supervisors_do_not_touch_each_other(stage: Stage, tmp_path: Path) -> None:
    other = Stage(tmp_path)
    mine, theirs = stage.start(stage.fake("mine")), other.start(other.fake("theirs"))
    stage.started.append(theirs)
    wait_for(mine, kind="up")
    wait_for(theirs, kind="up")
    mine.kill()
    assert eventually(lambda: not living(stage.token), limit_s=5)
    assert len(living(other.token)) == 1
    theirs.send_signal(signal.SIGTERM)
    assert rest(theirs)[-1].kind == "down"


def test_what_both_dead_supervisors_left_is_found_by_its_tag_and_cleared(stage: Stage) -> None:
    argv = [sys.executable, "-ISc", "import time; time.sleep(600)", stage.token]
    tagged = {"PATH": os.environ["PATH"], "PARLANCE_SUPERVISED": stage.token}
    stray = subprocess.Popen(argv, env=tagged, start_new_session=True)
    other = subprocess.Popen(argv, env={**tagged, "PARLANCE_SUPERVISED": stage.token + "x"})
    assert processes.clear_strays(f"PARLANCE_SUPERVISED={stage.token}", limit_s=5)
    assert stray.wait() == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_plan_survives_its_way_through_json(stage: Stage) -> None:
    plan = Plan((stage.fake("one"),), companion=stage.fake("demo"))
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["services"][0]["name"] == "one"
