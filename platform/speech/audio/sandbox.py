"""A persistent, resource-limited child process that answers one JSON request at a time.

Used for everything that touches foreign bytes or foreign native code: the media decoder and local engines.
The child side is `sandbox_child.py`.

    SandboxError
    ├── SandboxDied       the child ended by itself or by a limit (`reason`: "cpu_limit", "signal_11", "exit_1")
    ├── SandboxTimeout    the deadline passed; the child was killed
    └── SandboxJobFailed  the child's handler raised; the child lives on (`reason`: the exception's type name)
"""

import json
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from speech.audio.child import Child, Limits, death, kill, spawn, stop
from speech.audio.frames import HEADER_BYTES, MAX_MESSAGE_BYTES, body_size, pack

START_TIMEOUT_S = 60.0  # a cold disk and a busy machine; normal is below one second
CHUNK_BYTES = 1 << 16

Tick = Callable[[], None]


class SandboxError(Exception):
    """The child process gave no answer; `reason` is a short stable word for logs and decisions."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SandboxDied(SandboxError):
    """The child process ended before it answered."""


class SandboxTimeout(SandboxError):
    """The child process did not answer within the deadline and was killed."""


class SandboxJobFailed(SandboxError):
    """The handler in the child raised; the reason is the exception's type."""


class Sandbox:
    """A child process for one caller at a time: share it between threads only under a lock of your own.

    `program` is a module of ours by name, or a script by path, that ends in `sandbox_child.serve(load)`.
    A fresh child is started by the first call, after a death or timeout, and after `max_jobs` answers.
    """

    def __init__(self, program: str | Path, *, limits: Limits, max_jobs: int = 200) -> None:
        self._program = program
        self._limits = limits
        self._max_jobs = max_jobs
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the living child, None when there is none."""
        return self._child.process.pid if self._child else None

    def start(self, *, on_tick: Tick | None = None, tick_s: float = 1.0) -> None:
        """Start the child now, so that the first call does not pay for it."""
        self._ready_child(on_tick=on_tick, tick_s=tick_s)

    def call(
        self,
        request: dict[str, Any],
        *,
        deadline_s: float,
        on_tick: Tick | None = None,
        tick_s: float = 1.0,
    ) -> dict[str, Any]:
        """The child's answer to `request`; `on_tick` runs every `tick_s` seconds and may raise to abort.

        Raises SandboxDied, SandboxTimeout or SandboxJobFailed. Whatever is raised, no half-done job goes on:
        the child is killed unless it answered.
        """
        child = self._ready_child(on_tick=on_tick, tick_s=tick_s)
        try:
            wait = _Wait(child, deadline_s=deadline_s, on_tick=on_tick, tick_s=tick_s)
            wait.send(pack(request))
            reply = wait.receive()
        except BaseException:
            self._kill()
            raise
        self._count_job(child)
        if "failed" in reply:
            raise SandboxJobFailed(str(reply["failed"]))
        return dict(reply["ok"])

    def close(self) -> None:
        """End the child: politely by closing its input, by SIGKILL when it does not leave."""
        child, self._child = self._child, None
        if child is not None:
            stop(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ready_child(self, *, on_tick: Tick | None, tick_s: float) -> Child:
        if self._child is not None and self._child.process.poll() is not None:
            self._kill()  # it died between two jobs: nobody was waiting, so nobody needs to know
        if self._child is None:
            self._child = spawn(self._program, limits=self._limits)
            try:
                _Wait(self._child, deadline_s=START_TIMEOUT_S, on_tick=on_tick, tick_s=tick_s).receive()
            except BaseException:
                self._kill()
                raise
        return self._child

    def _count_job(self, child: Child) -> None:
        child.jobs += 1
        if child.jobs >= self._max_jobs:
            self.close()

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            kill(child)


class _Wait:
    """One exchange with the child under one deadline, ticking while it waits."""

    def __init__(self, child: Child, *, deadline_s: float, on_tick: Tick | None, tick_s: float) -> None:
        self._child = child
        self._ends_at = time.monotonic() + deadline_s
        self._on_tick = on_tick
        self._tick_s = tick_s
        self._tick_at = time.monotonic() + tick_s

    def send(self, message: bytes) -> None:
        pending = memoryview(message)
        while pending:
            self._until_ready(self._child.requests.fileno(), event=select.POLLOUT)
            try:
                pending = pending[os.write(self._child.requests.fileno(), pending[:CHUNK_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise SandboxDied(death(self._child.process)) from None

    def receive(self) -> dict[str, Any]:
        size = body_size(self._take(HEADER_BYTES))
        if size > MAX_MESSAGE_BYTES:
            raise SandboxDied("answer_too_large")
        try:
            answer = json.loads(self._take(size))
        except ValueError:
            raise SandboxDied("answer_unreadable") from None
        if not isinstance(answer, dict) or not ({"ok", "failed"} & answer.keys()):
            raise SandboxDied("answer_unreadable")
        return answer

    def _take(self, size: int) -> bytes:
        inbox = self._child.inbox
        while len(inbox) < size:
            self._until_ready(self._child.replies.fileno(), event=select.POLLIN)
            chunk = os.read(self._child.replies.fileno(), CHUNK_BYTES)
            if not chunk:
                raise SandboxDied(death(self._child.process))
            inbox += chunk
        taken = bytes(inbox[:size])
        del inbox[:size]
        return taken

    def _until_ready(self, fd: int, *, event: int) -> None:
        poller = select.poll()
        poller.register(fd, event)
        while not poller.poll(self._next_wake_ms()):
            now = time.monotonic()
            if now >= self._ends_at:
                raise SandboxTimeout("deadline")
            if self._on_tick is not None and now >= self._tick_at:
                self._tick_at = now + self._tick_s
                self._on_tick()

    def _next_wake_ms(self) -> float:
        wake_at = self._ends_at if self._on_tick is None else min(self._ends_at, self._tick_at)
        return max(0.0, wake_at - time.monotonic()) * 1000 + 1
