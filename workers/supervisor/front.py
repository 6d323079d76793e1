"""What the user started: it launches the guardian, passes signals on, and clears up if the guardian dies."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import workers
from workers.supervisor import processes
from workers.supervisor.plan import Event, Plan

GUARDIAN_LOST_POLITE_S = 1.0  # the kernel has told PostgreSQL to shut down; give it a moment
SWEEP_LIMIT_S = 4.0
DRAIN_SIGNAL = signal.SIGUSR1
# Python reads the .pth file that names the checkout in the locale's encoding, and does not even start when
# LC_ALL names C or a locale that is not installed and the path has Hangul. Every glibc has C.UTF-8.
PYTHON_LOCALE = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


def python_path() -> str:
    """Return PYTHONPATH for child processes, so that they run the code that we run, installed or not."""
    root = Path(workers.__file__).parents[1]
    ours = [str(root / "platform"), str(root)] if (root / "platform").is_dir() else []
    theirs = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([*ours, *([theirs] if theirs else [])])


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the argv that runs one of our modules; -P keeps the working directory out of the imports."""
    return (sys.executable, "-P", "-m", module, *arguments)


class GuardianLink:
    """A running guardian and the socket to it; closing the socket makes it stop everything."""

    def __init__(self, plan: Plan, *, keep_fds: Sequence[int] = (), log: Path | None = None) -> None:
        """Start the guardian; it holds `keep_fds` (the home's lock) open for as long as it lives."""
        self._socket, theirs = socket.socketpair()
        self._buffer = b""
        fds = (theirs.fileno(), *keep_fds, *(plan.companion.pass_fds if plan.companion else ()))
        output = log.open("ab") if log else None
        with contextlib.closing(theirs), output or contextlib.nullcontext():
            self._process = subprocess.Popen(
                python_command("workers.supervisor.guardian", str(theirs.fileno())),
                env={**os.environ, "PYTHONPATH": python_path(), **PYTHON_LOCALE},
                stdin=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
                pass_fds=fds,
            )
        for fd in plan.companion.pass_fds if plan.companion else ():
            os.close(fd)  # handed over: nobody else may answer on them
        self._socket.sendall(plan.to_json().encode() + b"\n")

    @property
    def pid(self) -> int:
        """Return the guardian's process number."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the socket, for select."""
        return self._socket.fileno()

    def send(self, command: str) -> None:
        """Ask for `drain`, `stop` or `kill`."""
        with contextlib.suppress(OSError):
            self._socket.sendall(command.encode() + b"\n")

    def read(self) -> list[Event]:
        """Return the events that arrived (waits for some); a `lost` event means the guardian is gone."""
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        events = [Event.from_json(line) for line in lines]
        return events if data else [*events, Event("lost")]

    def events(self) -> Iterator[Event]:
        """Yield events until the guardian has stopped or is lost."""
        while True:
            for event in self.read():
                yield event
                if event.kind in ("down", "lost"):
                    return

    def kill(self) -> None:
        """End the guardian; its services become ours and the sweep's."""
        self._process.kill()

    def close(self) -> None:
        """Hang up and wait for the guardian's end."""
        self._socket.close()
        try:
            self._process.wait(timeout=SWEEP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Signals:
    """Turns signals into commands: the first stops in order, the second at once."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        self._stops = 0
        self._previous: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> "_Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, DRAIN_SIGNAL):
            self._previous[number] = signal.signal(number, lambda _number, _frame: None)
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        return self._read.fileno()

    def commands(self) -> list[str]:
        return [self._command(number) for number in self._read.recv(64)]

    def _command(self, number: int) -> str:
        if number == DRAIN_SIGNAL:
            return "drain"
        self._stops += 1
        return "stop" if self._stops == 1 else "kill"


def _pump(link: GuardianLink, *, signals: _Signals, on_event: Callable[[Event], None], patience_s: float) -> Event:
    ends_at_s = float("inf")
    with selectors.DefaultSelector() as selector:
        selector.register(link.fileno(), selectors.EVENT_READ)
        selector.register(signals.fileno(), selectors.EVENT_READ)
        while time.monotonic() < ends_at_s:
            for key, _ in selector.select(timeout=1.0):
                if key.fd == signals.fileno():
                    for command in signals.commands():
                        link.send(command)
                        if command != "drain":
                            ends_at_s = min(ends_at_s, time.monotonic() + patience_s)
                    continue
                for event in link.read():
                    on_event(event)
                    if event.kind in ("down", "lost"):
                        return event
    link.kill()  # a guardian that does not answer must not keep the user waiting
    return Event("lost")


def run(plan: Plan, *, on_event: Callable[[Event], None], keep_fds: Sequence[int] = (), log: Path | None = None) -> int:
    """Run a plan until a signal or a failure ends it; nothing it started is left when this returns."""
    processes.adopt_orphans()
    with _Signals() as signals:
        link = GuardianLink(plan, keep_fds=keep_fds, log=log)
        try:
            last = _pump(link, signals=signals, on_event=on_event, patience_s=plan.hurry_s + 0.5)
        finally:
            # Also when a callback failed: hanging up stops the services, the sweep takes what is left.
            with contextlib.suppress(ChildProcessError):
                _finish(link)
    return last.code if last.kind == "down" else 1


def _finish(link: GuardianLink) -> None:
    link.close()
    processes.sweep(limit_s=SWEEP_LIMIT_S, polite_s=GUARDIAN_LOST_POLITE_S)
