"""Starting and ending a sandbox's child process: clean environment, no inherited files, own process group."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

SOURCE_ROOT = Path(__file__).resolve().parents[2]
STOP_GRACE_S = 2.0  # the child only has to leave its read; afterwards it is killed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use: CPU seconds per job, the rest for its whole life."""

    cpu_s: int = 900
    address_space_bytes: int = 2 << 30
    file_size_bytes: int = 4 << 30
    open_files: int = 64


@dataclass(slots=True)
class Child:
    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    replies: IO[bytes]
    lifeline: int
    jobs: int = 0
    inbox: bytearray = field(default_factory=bytearray)


def spawn(program: str | Path, *, limits: Limits) -> Child:
    """A fresh child that is still loading; its first message says that it is ready."""
    lifeline_read, lifeline_write = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", *_program(program), _settings(lifeline_read, limits=limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # native libraries print file metadata there: never into our logs
            env=clean_environment(),
            cwd="/",
            bufsize=0,
            pass_fds=(lifeline_read,),
            start_new_session=True,
        )
    except BaseException:
        os.close(lifeline_write)
        raise
    finally:
        os.close(lifeline_read)
    assert process.stdin is not None
    assert process.stdout is not None
    os.set_blocking(process.stdin.fileno(), False)
    return Child(process, process.stdin, process.stdout, lifeline_write)


def _program(program: str | Path) -> tuple[str, ...]:
    """A module of ours by name, or a script by path."""
    return ("-m", program) if isinstance(program, str) else (str(program.resolve()),)


def _settings(lifeline_fd: int, *, limits: Limits) -> str:
    return json.dumps({"lifeline_fd": lifeline_fd, **asdict(limits)})


def clean_environment() -> dict[str, str]:
    """Nothing of ours: no secret, no proxy, no locale; one thread in every numeric library."""
    return {
        "PYTHONPATH": str(SOURCE_ROOT),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }


def death(process: subprocess.Popen[bytes]) -> str:
    """Why the child ended; it closed its pipes, so it is gone or about to be."""
    try:
        code = process.wait(timeout=STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        return "pipe_closed"
    if code == -signal.SIGXCPU:
        return "cpu_limit"
    return f"signal_{-code}" if code < 0 else f"exit_{code}"


def kill(child: Child) -> None:
    """End the child and everything it started at once, and give back its pipes."""
    _kill_group(child.process)
    _release(child)


def stop(child: Child) -> None:
    """End the child: politely by closing its input, by SIGKILL when it does not leave."""
    _close(child.requests)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(timeout=STOP_GRACE_S)
    kill(child)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads its own session, so this takes its children too
    process.wait()


def _release(child: Child) -> None:
    _close(child.requests)
    _close(child.replies)
    os.close(child.lifeline)


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        pipe.close()
