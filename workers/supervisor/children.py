"""The guardian's children: starting one, noticing its end, clearing what it left behind."""

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workers.supervisor import processes
from workers.supervisor.plan import Service
from workers.supervisor.ready import READY_FD

LOG_LIMIT_BYTES = 10_000_000
TAIL_BYTES = 4_000
CLEARING_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running process; `exited` resolves to its exit code, negative for a signal."""

    pid: int
    exited: asyncio.Future[int]
    popen: subprocess.Popen[bytes]
    ready_fd: int | None


def rotate(log: Path) -> None:
    """Keep one older part of a log that grew past 10 MB."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".old.log"))


def tail(path: str, *, since_bytes: int = 0) -> str:
    """Return the last 4 kB that were written to a log after a position."""
    if not path or not Path(path).exists():
        return ""
    with Path(path).open("rb") as log:
        size_bytes = log.seek(0, os.SEEK_END)
        log.seek(max(since_bytes, size_bytes - TAIL_BYTES))
        return log.read().decode("utf-8", "replace").strip()


def _popen(service: Service, *, output: IO[bytes] | None, ready_fd: int | None) -> subprocess.Popen[bytes]:
    told = {} if ready_fd is None else {READY_FD: str(ready_fd)}
    return subprocess.Popen(
        service.argv,
        env={**service.env, **told},
        cwd=service.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # the terminal's Ctrl-C belongs to the front alone
        pass_fds=(*service.pass_fds, *([] if ready_fd is None else [ready_fd])),
        # The guardian has one thread, so running Python between fork and exec is safe here.
        preexec_fn=processes.dying_with_parent(service.death_signal),
    )


def _start(service: Service, *, ready_fd: int | None) -> subprocess.Popen[bytes]:
    if not service.log:
        return _popen(service, output=None, ready_fd=ready_fd)
    rotate(Path(service.log))
    with Path(service.log).open("ab") as output:
        return _popen(service, output=output, ready_fd=ready_fd)


class Nursery:
    """All children of this process, inside a running event loop; nobody else may wait for them."""

    def __init__(self) -> None:
        """Take over SIGCHLD."""
        self._children: dict[int, Child] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGCHLD, self.collect)

    def launch(self, service: Service) -> Child:
        """Start a service's process; an OSError says why it could not."""
        read_fd, write_fd = os.pipe() if service.probe.kind == "ready_fd" else (None, None)
        try:
            popen = _start(service, ready_fd=write_fd)
        except OSError:
            if read_fd is not None:
                os.close(read_fd)
            raise
        finally:
            if write_fd is not None:
                os.close(write_fd)
        child = Child(popen.pid, self._loop.create_future(), popen, read_fd)
        self._children[child.pid] = child
        return child

    def collect(self) -> None:
        """Note every child that ended; adopted orphans are collected with them."""
        for pid, code in processes.reap().items():
            child = self._children.pop(pid, None)
            if child is not None:
                child.popen.returncode = code
                child.exited.set_result(code)

    async def clear_orphans(self) -> bool:
        """Kill everything below this process that belongs to no living service; True when nothing is left."""
        for _ in range(int(CLEARING_LIMIT_S / 0.01)):
            self.collect()
            left = processes.descendants(os.getpid(), table=processes.parents(), spare=self._children)
            if not left:
                return True
            for pid in left:
                processes.send(pid, number=signal.SIGKILL)
            await asyncio.sleep(0.01)
        return False
