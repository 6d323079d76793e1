"""One service's life: start, wait until ready, start again after a crash."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.supervisor import processes
from workers.supervisor.children import Child, Nursery, tail
from workers.supervisor.decisions import gives_up, pause_before_restart_s
from workers.supervisor.plan import Event, Service
from workers.supervisor.probes import is_ready
from workers.supervisor.ready import READY_LINE

FIRST_START_ATTEMPTS = 2  # a second one covers what a killed predecessor still held
LOOK_AGAIN_S = 0.02


class ServiceFailed(Exception):
    """A service cannot be kept running: `name`, what happened in `detail`, and the end of its log."""

    def __init__(self, name: str, *, detail: str, tail: str = "") -> None:
        """Keep what the user has to be told."""
        super().__init__(f"{name} {detail}")
        self.name, self.detail, self.tail = name, detail, tail


def ending(code: int) -> str:
    """Say how a process ended.

    >>> ending(3), ending(-9)
    ('ended with code 3', 'was killed by SIGKILL')
    """
    return f"ended with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


async def _told_ready(ready_fd: int) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ready_fd, "rb", buffering=0)
    )
    try:
        if await reader.readline() != READY_LINE:
            await asyncio.Event().wait()  # it closed the pipe without a word: only the time limit can tell
    finally:
        transport.close()


async def _answers(service: Service) -> None:
    while True:
        if await is_ready(service.probe):
            return
        await asyncio.sleep(LOOK_AGAIN_S)


async def _until_ready(service: Service, *, child: Child) -> None:
    if child.ready_fd is not None:
        await _told_ready(child.ready_fd)
    elif service.probe.kind == "exit":
        await asyncio.wait({child.exited})
    elif service.probe.kind != "running":
        await _answers(service)


class Keeper:
    """Keeps one service running."""

    def __init__(self, service: Service, *, nursery: Nursery, emit: Callable[[Event], None]) -> None:
        """Nothing is started yet."""
        self.service = service
        self.child: Child | None = None
        self._nursery = nursery
        self._emit = emit
        self._crashes_at_s: list[float] = []
        self._log_from_bytes = 0

    @property
    def is_step(self) -> bool:
        """Tell whether the service is a step that ends by itself."""
        return self.service.probe.kind == "exit"

    def _failed(self, detail: str) -> ServiceFailed:
        return ServiceFailed(
            self.service.name, detail=detail, tail=tail(self.service.log, since_bytes=self._log_from_bytes)
        )

    def _launch(self) -> Child:
        log = Path(self.service.log or os.devnull)
        self._log_from_bytes = log.stat().st_size if log.is_file() else 0
        try:
            self.child = self._nursery.launch(self.service)
        except OSError as error:
            self.child = None
            raise self._failed(f"could not be started: {error.strerror}") from error
        return self.child

    async def _wait(self, child: Child) -> str:
        """Return an empty string when ready, else what went wrong."""
        ready = asyncio.create_task(_until_ready(self.service, child=child))
        either: set[asyncio.Future[Any]] = {ready, child.exited}
        try:
            await asyncio.wait(either, timeout=self.service.ready_limit_s, return_when=asyncio.FIRST_COMPLETED)
            if child.exited.done():
                return "" if self.is_step and child.exited.result() == 0 else ending(child.exited.result())
            if ready.done():
                ready.result()
                return ""
            processes.send(child.pid, number=signal.SIGKILL)
            await asyncio.wait({child.exited})
            return f"was not ready after {self.service.ready_limit_s:g} s"
        finally:
            ready.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ready

    async def _attempt(self) -> str:
        begun_s = time.monotonic()
        child = self._launch()
        self._emit(Event("starting", self.service.name, pid=child.pid))
        wrong = await self._wait(child)
        if not wrong:
            took_s = round(time.monotonic() - begun_s, 3)
            self._emit(Event("done" if self.is_step else "ready", self.service.name, pid=child.pid, seconds=took_s))
        return wrong

    async def start(self) -> None:
        """Start for the first time and return when ready."""
        wrong = ""
        for _ in range(1 if self.is_step else FIRST_START_ATTEMPTS):
            wrong = await self._attempt()
            if not wrong:
                return
            await self._nursery.clear_orphans()
        raise self._failed(wrong)

    async def keep(self, *, fail_fast: bool) -> None:
        """Start again after every crash, until they come too fast."""
        while self.child is not None:
            await asyncio.wait({self.child.exited})
            wrong = ending(self.child.exited.result())
            self._emit(Event("exited", self.service.name, pid=self.child.pid, detail=wrong))
            # What a dead service leaves behind may hold its port or its shared memory.
            await self._nursery.clear_orphans()
            await self._pause(wrong, fail_fast=fail_fast)
            await self._attempt()

    async def _pause(self, wrong: str, *, fail_fast: bool) -> None:
        now_s = time.monotonic()
        self._crashes_at_s.append(now_s)
        if fail_fast:
            raise self._failed(wrong)
        if gives_up(self._crashes_at_s, now_s=now_s):
            raise self._failed(f"{wrong} and crashed too often to be restarted")
        pause_s = pause_before_restart_s(self._crashes_at_s, now_s=now_s)
        self._emit(Event("restarting", self.service.name, seconds=pause_s, detail=wrong))
        await asyncio.sleep(pause_s)
