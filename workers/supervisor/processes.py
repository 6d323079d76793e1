"""Seeing and ending processes: the kernel's parent links are the only register that cannot lie.

Linux reads /proc and uses prctl; elsewhere `ps` gives the table and orphans are not adopted.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if ON_LINUX else None


def adopt_orphans() -> None:
    """Make this process the new parent of whatever its descendants leave behind."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def dying_with_parent(number: int) -> Callable[[], None]:
    """Return what a child runs before exec to be sent signal `number` when its parent dies."""
    parent = os.getpid()

    def prepare() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request reached the kernel
            os._exit(1)

    return prepare


def _linux_parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue  # it ended while we were looking
        if fields and fields[0] not in (b"Z", b"X"):
            parents[int(entry.name)] = int(fields[1])
    return parents


def _ps_parents() -> dict[int, int]:
    listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    pairs = (line.split() for line in listing.splitlines())
    return {int(pid): int(parent) for pid, parent in pairs}


def parents() -> dict[int, int]:
    """Return the parent of every living process; zombies are left out."""
    return _linux_parents() if ON_LINUX else _ps_parents()


def descendants(root: int, *, table: dict[int, int], spare: Collection[int] = ()) -> list[int]:
    """Return all processes below `root`, without the trees that start at a spared process.

    >>> descendants(1, table={2: 1, 3: 2, 4: 1, 5: 4, 9: 8}, spare=[4])
    [2, 3]
    """
    found: list[int] = []
    level = [root]
    while level:
        level = [pid for pid, parent in table.items() if parent in level and pid not in spare]
        found += level
    return found


def started_at_ticks(pid: int) -> int:
    """Return when a process started, in kernel ticks (0 if unknown): process numbers are used again."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, IndexError):
        return 0


def send(pid: int, *, number: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def reap() -> dict[int, int]:
    """Collect every child that ended: process number → exit code, negative for a signal."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def carrying(tag: str) -> list[int]:
    """Return the processes that were started with an environment entry `NAME=value`; none where /proc is missing."""
    found: list[int] = []
    for pid in parents() if ON_LINUX else {}:
        try:
            if os.fsencode(tag) in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue  # it ended, or belongs to somebody else
    return found


def clear_strays(tag: str, *, limit_s: float) -> bool:
    """Kill what a supervisor that was killed together with its guardian left running; True when none is left."""
    begun = time.monotonic()
    while strays := [pid for pid in carrying(tag) if pid != os.getpid()]:
        if time.monotonic() - begun > limit_s:
            return False
        for pid in strays:
            send(pid, number=signal.SIGKILL)
        time.sleep(0.01)
    return True


def sweep(*, limit_s: float, polite_s: float = 0.0) -> bool:
    """End all descendants of this process, politely waiting `polite_s` first; True when none is left."""
    begun = time.monotonic()
    while time.monotonic() - begun < limit_s:
        reap()
        left = descendants(os.getpid(), table=parents())
        if not left:
            return True
        if time.monotonic() - begun >= polite_s:
            for pid in left:
                send(pid, number=signal.SIGKILL)
        time.sleep(0.01)
    return False
