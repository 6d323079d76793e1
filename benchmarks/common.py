"""What the benchmarks share: servers of their own on a temporary home, processes, CPU from /proc, one line of JSON.

CPU is what the kernel has booked for a process with all its threads, in steps of 10 ms; on a busy machine it says more
than the wall clock.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from workers.embedded.stack import Services, child_environment
from workers.supervisor.front import python_command

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
OURS = ("PARLANCE_", "DATABASE_", "REDIS_", "S3_")
READY_LIMIT_S = 30.0


class TookTooLong(Exception):
    """A benchmark ran past its limit."""


def run(name: str, measure: Callable[[], dict[str, Any]], *, limit_s: int) -> None:
    """Print the figures of `measure` as one line; it must return `goal` and `reached` among them."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(limit_s)
    # Whatever the product prints (migrations, logs) goes to stderr: stdout carries the one line.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        figures = measure()
    except Exception as error:
        print(json.dumps({"benchmark": name, "error": repr(error), "reached": False}), file=out, flush=True)
        raise
    finally:
        signal.alarm(0)
    print(json.dumps({"benchmark": name, **figures}, ensure_ascii=False), file=out, flush=True)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TookTooLong


@dataclass(frozen=True, slots=True)
class Stack:
    """PostgreSQL and Redis of one benchmark, migrated; `env` leads every child process to them."""

    env: dict[str, str]
    folder: Path
    postgres_pid: int
    redis_pid: int


def bare_environment() -> dict[str, str]:
    """The environment without anything that would lead to the user's own services."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that the database's own user can enter, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="parlance-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stack(*, settings: Mapping[str, str] | None = None, migrated: bool = True) -> Iterator[Stack]:
    """Servers with their real durability on a temporary home; Django is set up on them in this process."""
    with temporary_folder() as folder:
        services = Services(folder / "home", fast=False, environ=bare_environment())
        with services as found:
            env = child_environment(found, environ=bare_environment()) | dict(settings or {})
            env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PARLANCE_WORK_DIR": str(folder / "work")}
            set_up_django(env)
            if migrated:
                from workers.migrate import main

                assert main() == 0
            try:
                yield Stack(env, folder, services.pids["postgres"], services.pids["redis"])
            finally:
                from django.db import connections

                connections.close_all()


def set_up_django(env: Mapping[str, str]) -> None:
    """Django of this process on the given servers."""
    os.environ.update(env)
    import django

    django.setup()


def live_key() -> str:
    """The secret of a live key of a new tenant."""
    from tenants.facade import create_key, create_tenant

    return create_key(create_tenant("bench").id).secret


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(argv: Sequence[str], *, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process; ended, with everything it started, at the end of the block."""
    with log.open("ab") as output:
        child = subprocess.Popen(argv, env=dict(env), stdout=output, stderr=output, start_new_session=True)
    try:
        yield child
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; after 15 s kill it with everything it started."""
    child.terminate()
    try:
        child.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process: granian's parent, and how long it took until /readyz was green."""

    pid: int
    port: int
    started_in_s: float


@contextmanager
def web(stack: Stack, *, settings: Mapping[str, str] | None = None) -> Iterator[Web]:
    """The product's web process."""
    port = free_port()
    env = stack.env | {"PARLANCE_PORT": str(port), "PARLANCE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    begun_s = time.monotonic()
    with process(python_command("workers.web"), env=env | dict(settings or {}), log=stack.folder / "web.log") as child:
        await_answer(f"http://127.0.0.1:{port}/readyz", child=child, log=stack.folder / "web.log")
        yield Web(child.pid, port, time.monotonic() - begun_s)


def await_answer(url: str, *, child: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the URL answers 200; raises with the end of the log when the process died before."""
    until = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise RuntimeError(f"no answer from {url}; the log ends: {log.read_text('utf-8', 'replace')[-2000:]}")


def await_port(port: int, *, child: subprocess.Popen[bytes], log: Path) -> None:
    """Return when something listens on the port; raises with the end of the log when the process died before."""
    until = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}; the log ends: {log.read_text('utf-8', 'replace')[-2000:]}")


@contextmanager
def worker_process(stack: Stack, *, module: str) -> Iterator[int]:
    """`workers.worker` or `workers.scheduler`, ready for work; yields its process id."""
    read_fd, write_fd = os.pipe()
    env = stack.env | {"PARLANCE_READY_FD": str(write_fd)}
    log = stack.folder / f"{module}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            python_command(module), env=env, stdout=output, stderr=output, start_new_session=True, pass_fds=(write_fd,)
        )
    os.close(write_fd)
    try:
        with os.fdopen(read_fd, "rb") as ready:
            if ready.readline() != b"ready\n":
                raise RuntimeError(f"{module} did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
        yield child.pid
    finally:
        end(child)


@dataclass(frozen=True, slots=True)
class Times:
    """CPU milliseconds of one process: its own, and that of children it has already buried."""

    own_ms: float
    buried_ms: float


def cpu(pid: int) -> Times:
    """What the kernel has booked for one process; zeros when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return Times(0.0, 0.0)
    fields = text.rpartition(")")[2].split()
    user, system, buried_user, buried_system = (int(field) * TICK_MS for field in fields[11:15])
    return Times(user + system, buried_user + buried_system)


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parents.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found = [pid]
    for known in found:
        found += parents.get(known, [])
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def tree_cpu_ms(pid: int) -> float:
    """CPU of a process with all its descendants, living and buried."""
    return sum(times.own_ms + times.buried_ms for times in map(cpu, tree(pid)))


def command(pid: int) -> str:
    """A process's command line, its paths left out; empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return " ".join(word for word in text.split("\0") if word and not word.startswith("/"))


def memory_mb(pid: int) -> tuple[float, float]:
    """RSS and PSS of one process in MB (10^6 bytes)."""
    found = {"Rss": 0.0, "Pss": 0.0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0]) * 1024 / 1e6
    return found["Rss"], found["Pss"]


def percentile(values: Collection[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([1.0], 99)
    (2.0, 1.0)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Collection[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def tidy(value: float, digits: int = 2) -> float:
    """Rounded for the one line."""
    return round(value, digits)


def this_script(*arguments: str) -> tuple[str, ...]:
    """The argv that starts the running benchmark once more in another role."""
    return (sys.executable, str(Path(sys.argv[0]).resolve()), *arguments)
