"""The sandbox keeps its promises: limits, clean surroundings, deadlines, and no survivor."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from speech.audio.child import SOURCE_ROOT, Limits
from speech.audio.sandbox import Sandbox, SandboxDied, SandboxJobFailed, SandboxTimeout

PROGRAM = Path(__file__).with_name("sandbox_jobs.py")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PROGRAM, limits=Limits()) as box:
        yield box


def test_it_answers_and_keeps_its_process(sandbox: Sandbox) -> None:
    first = sandbox.call({"do": "facts"}, deadline_s=20)
    second = sandbox.call({"do": "facts"}, deadline_s=20)

    assert first["pid"] == second["pid"] == sandbox.pid


def test_it_carries_large_messages_both_ways(sandbox: Sandbox) -> None:
    text = "안녕 " * 500_000

    assert sandbox.call({"do": "echo", "text": text}, deadline_s=30) == {"text": text}


def test_the_child_sees_no_secret_and_no_file_of_ours(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARLANCE_SECRET", "do-not-tell")
    with (tmp_path / "ours").open("wb") as ours:
        os.set_inheritable(ours.fileno(), True)
        facts = sandbox.call({"do": "facts"}, deadline_s=20)

    assert "PARLANCE_SECRET" not in facts["environment"]
    assert "HOME" not in facts["environment"]
    assert not [name for name in facts["files"] if str(tmp_path) in name]
    assert facts["leads_a_session"]
    assert facts["dumpable_core"] == [0, 0]


def test_the_child_can_open_no_socket_and_start_no_program(sandbox: Sandbox) -> None:
    assert sandbox.call({"do": "network"}, deadline_s=20) == {
        "socket": "PermissionError",
        "program": "PermissionError",
    }


def test_what_a_library_prints_does_not_disturb_the_answers(sandbox: Sandbox) -> None:
    sandbox.call({"do": "print"}, deadline_s=20)

    assert sandbox.call({"do": "echo", "text": "clear"}, deadline_s=20) == {"text": "clear"}


def test_a_job_past_its_deadline_is_killed_and_the_next_call_has_a_fresh_child(sandbox: Sandbox) -> None:
    old_pid = sandbox.call({"do": "facts"}, deadline_s=20)["pid"]

    with pytest.raises(SandboxTimeout):
        sandbox.call({"do": "sleep", "seconds": 60}, deadline_s=0.2)

    assert sandbox.pid is None
    assert sandbox.call({"do": "facts"}, deadline_s=20)["pid"] != old_pid


@pytest.mark.parametrize(("job", "reason"), [("die", "signal_11"), ("exit", "exit_7")])
def test_a_death_is_told_with_its_reason_and_the_next_call_works(sandbox: Sandbox, job: str, reason: str) -> None:
    with pytest.raises(SandboxDied) as caught:
        sandbox.call({"do": job}, deadline_s=20)

    assert caught.value.reason == reason
    assert sandbox.call({"do": "echo", "text": "again"}, deadline_s=20) == {"text": "again"}


def test_a_child_that_died_between_two_jobs_is_replaced_silently(sandbox: Sandbox) -> None:
    pid = sandbox.call({"do": "facts"}, deadline_s=20)["pid"]
    with _Watched(pid) as child:
        os.kill(pid, signal.SIGKILL)
        child.wait_for_end()

    assert sandbox.call({"do": "echo", "text": "still here"}, deadline_s=20) == {"text": "still here"}


def test_cpu_time_is_limited_for_each_job_and_does_not_add_up() -> None:
    with Sandbox(PROGRAM, limits=Limits(cpu_s=1)) as box:
        for _ in range(3):
            box.call({"do": "burn", "seconds": 0.9}, deadline_s=30)
        with pytest.raises(SandboxDied) as caught:
            box.call({"do": "burn", "seconds": 10}, deadline_s=60)

    assert caught.value.reason == "cpu_limit"


def test_memory_and_file_size_are_limited() -> None:
    limits = Limits(address_space_bytes=500 << 20, file_size_bytes=1 << 20)
    with Sandbox(PROGRAM, limits=limits) as box:
        with pytest.raises(SandboxJobFailed, match="MemoryError"):
            box.call({"do": "memory", "size_bytes": 600 << 20}, deadline_s=20)
        with pytest.raises(SandboxJobFailed, match="OSError"):
            box.call({"do": "file", "size_bytes": 2 << 20}, deadline_s=20)
        box.call({"do": "file", "size_bytes": 1000}, deadline_s=20)


def test_a_failing_job_tells_only_the_type_of_its_error(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxJobFailed) as caught:
        sandbox.call({"do": "echo"}, deadline_s=20)

    assert str(caught.value) == "KeyError"
    assert caught.value.__cause__ is None


def test_it_recycles_its_process_after_so_many_jobs() -> None:
    with Sandbox(PROGRAM, limits=Limits(), max_jobs=2) as box:
        pids = [box.call({"do": "facts"}, deadline_s=20)["pid"] for _ in range(4)]

    assert pids[0] == pids[1]
    assert pids[1] != pids[2] == pids[3]


def test_ticks_come_while_it_waits(sandbox: Sandbox) -> None:
    sandbox.start()
    ticks: list[int] = []

    sandbox.call({"do": "sleep", "seconds": 0.35}, deadline_s=20, on_tick=lambda: ticks.append(1), tick_s=0.1)

    assert 2 <= len(ticks) <= 4


def test_a_tick_that_raises_aborts_the_job_and_kills_the_child(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.pid is not None

    def lease_lost() -> None:
        raise LookupError("lease lost")

    with _Watched(sandbox.pid) as child:
        with pytest.raises(LookupError, match="lease lost"):
            sandbox.call({"do": "sleep", "seconds": 60}, deadline_s=60, on_tick=lease_lost, tick_s=0.05)
        child.wait_for_end()


def test_the_child_survives_the_thread_that_started_it(sandbox: Sandbox) -> None:
    starter = threading.Thread(target=sandbox.start)
    starter.start()
    starter.join()
    pid = sandbox.pid

    assert sandbox.call({"do": "facts"}, deadline_s=20)["pid"] == pid


def test_the_child_dies_with_its_parent_even_in_the_middle_of_a_job() -> None:
    with _parent_with_a_busy_child() as parent:
        assert parent.stdout is not None
        with _Watched(int(parent.stdout.readline())) as child:
            os.kill(parent.pid, signal.SIGKILL)
            child.wait_for_end()
        parent.wait()


def test_a_program_that_cannot_start_is_told_as_a_death() -> None:
    with (
        Sandbox("speech.audio.no_such_module", limits=Limits()) as box,
        pytest.raises(SandboxDied, match="exit_1"),
    ):
        box.start()


class _Watched:
    """A process by pidfd, so that waiting for its end needs no polling and no mix-up of ids."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def wait_for_end(self) -> None:
        assert select.select([self._fd], [], [], 5)[0], "the process is still alive"


def _parent_with_a_busy_child() -> "subprocess.Popen[str]":
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from speech.audio.child import Limits\n"
        "from speech.audio.sandbox import Sandbox\n"
        "box = Sandbox(Path(sys.argv[1]), limits=Limits())\n"
        "box.start()\n"
        "tell = lambda: print(box.pid, flush=True)\n"
        "box.call({'do': 'burn', 'seconds': 60}, deadline_s=60, on_tick=tell, tick_s=0.1)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SOURCE_ROOT)},
    )
