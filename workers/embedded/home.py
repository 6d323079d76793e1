"""The folder that holds everything of one installation, and the lock that keeps a second one out of it."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.embedded.errors import AlreadyRunning, HomeError
from workers.supervisor import processes

ROOT_HOME = Path("/var/lib/parlance")
AFTERMATH_S = 6.0  # a killed supervisor's guardian needs up to 5 s to clear up
OURS = ("pgdata", "pgdata.new", "redis", "objects", "logs", "secrets", "demo", "state.json", "lock", "half-restored")


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside one home; only `prepare` makes anything."""

    path: Path

    @property
    def pgdata(self) -> Path:
        """Return the database's folder."""
        return self.path / "pgdata"

    @property
    def redis(self) -> Path:
        """Return the folder of Redis' append-only file."""
        return self.path / "redis"

    @property
    def objects(self) -> Path:
        """Return the folder of stored audio and results."""
        return self.path / "objects"

    @property
    def logs(self) -> Path:
        """Return the folder of the processes' logs."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Return the folder of keys and passwords."""
        return self.path / "secrets"

    @property
    def state_file(self) -> Path:
        """Return the file in which a running instance says who and where it is."""
        return self.path / "state.json"

    @property
    def half_restored(self) -> Path:
        """Return the mark of a restore that has not come to its end."""
        return self.path / "half-restored"

    def log(self, name: str) -> Path:
        """Return the log of one service."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders, closed to everybody else."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.redis, self.objects, self.logs, self.secrets):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.secrets.chmod(0o700)
        except OSError as error:
            raise HomeError(
                f"The home {self.path} cannot be written ({error.strerror}). Choose another with --home or "
                "PARLANCE_HOME."
            ) from error

    def holds_data(self) -> bool:
        """Tell whether a database was made here."""
        return self.pgdata.exists()

    def state(self) -> dict[str, Any]:
        """Return what the running (or last) instance wrote; empty when there was none."""
        try:
            content = json.loads(self.state_file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Replace the state at once, so that no reader sees half of it; it carries passwords, hence 0600."""
        fresh = self.state_file.with_name("state.json.new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            json.dump(state, out, ensure_ascii=False)
        fresh.replace(self.state_file)

    def delete(self) -> None:
        """Delete what we made and nothing else; the folder itself only when nothing else is in it."""
        for name in OURS:
            entry = self.path / name
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()


def default_home(environ: Mapping[str, str]) -> Path:
    """Return PARLANCE_HOME, else the place that the user's rights allow."""
    if environ.get("PARLANCE_HOME"):
        return Path(environ["PARLANCE_HOME"]).expanduser().absolute()
    if os.geteuid() == 0:
        return ROOT_HOME
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "parlance"


class HomeLock:
    """The right to run in a home; it ends with the last process that holds its file open."""

    def __init__(self, home: Home, *, fd: int) -> None:
        """Take over an open and locked file."""
        self.home, self.fd = home, fd

    @classmethod
    def try_take(cls, home: Home) -> "HomeLock | None":
        """Return the lock, or None while another process holds it."""
        fd = os.open(home.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return cls(home, fd=fd)

    @classmethod
    def take(cls, home: Home) -> "HomeLock":
        """Return the lock; waits while a dead supervisor's guardian clears up."""
        until_s = time.monotonic() + AFTERMATH_S
        while (lock := cls.try_take(home)) is None:
            if is_alive(home.state()) or time.monotonic() > until_s:
                raise AlreadyRunning(_already_running(home))
            time.sleep(0.05)
        return lock

    def release(self) -> None:
        """Let the next one in."""
        os.close(self.fd)


def is_held(home: Home) -> bool:
    """Tell whether an instance runs (or still clears up) in the home."""
    if not (home.path / "lock").exists():
        return False
    lock = HomeLock.try_take(home)
    if lock is None:
        return True
    lock.release()
    return False


def is_alive(state: Mapping[str, Any]) -> bool:
    """Tell whether the supervisor that wrote the state still runs; its start time guards against a reused number."""
    pid = int(state.get("pid", 0))
    if not pid:
        return False
    if processes.ON_LINUX:
        return processes.started_at_ticks(pid) == state.get("started_at_ticks")
    return pid in processes.parents()


def _already_running(home: Home) -> str:
    state = home.state()
    return (
        f"Parlance is already running in {home.path}: pid {state.get('pid', 'unknown')}, "
        f"{state.get('url', 'still starting')}. Stop it with `parlance down`, or choose another --home."
    )
