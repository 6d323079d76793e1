"""The parent of all services: `python -m workers.supervisor.guardian FD`, spoken to over the socket FD.

It reads the plan as one line, then `drain`, `stop` or `kill`; it writes one event per line. When the socket
closes, the front is dead and everything is stopped in a hurry.
"""

import asyncio
import contextlib
import enum
import os
import signal
import socket
import sys
import time

from workers.supervisor import processes
from workers.supervisor.children import Child, Nursery
from workers.supervisor.decisions import share_s
from workers.supervisor.keeper import Keeper, ServiceFailed
from workers.supervisor.plan import Event, Plan, Service

LINE_LIMIT_BYTES = 16_000_000  # a plan repeats the environment for each service
COMPANION_GRACE_S = 0.3
GLANCE_S = 0.05  # how soon a second Ctrl-C cuts a grace short


class Pace(enum.IntEnum):
    """How fast to stop; it can only become faster."""

    DRAIN = 1  # every service may use its whole grace
    HURRY = 2  # all graces together fit into a limit
    NOW = 3


PACES = {b"drain": Pace.DRAIN, b"stop": Pace.HURRY, b"kill": Pace.NOW}


class Guardian:
    """Runs one plan."""

    def __init__(self, plan: Plan, *, out: asyncio.StreamWriter) -> None:
        """Nothing is started yet."""
        self._plan = plan
        self._out = out
        self._nursery = Nursery()
        self._keepers = [Keeper(each, nursery=self._nursery, emit=self.emit) for each in plan.services]
        self._tasks: list[asyncio.Task[None]] = []
        self._companion: Child | None = None
        self._outcome: asyncio.Future[ServiceFailed | None] = asyncio.get_running_loop().create_future()
        self._pace = Pace.DRAIN
        self._pace_since_s = self._hurry_until_s = 0.0

    def emit(self, event: Event) -> None:
        """Tell the front, if it still lives."""
        if not self._out.is_closing():
            self._out.write(event.to_json().encode() + b"\n")

    def request(self, pace: Pace, *, hurry_s: float) -> None:
        """Stop everything, or stop faster than asked before."""
        if pace > self._pace:
            self._pace, self._pace_since_s = pace, time.monotonic()
            self._hurry_until_s = self._pace_since_s + hurry_s
        self._end(None)

    def _end(self, failure: ServiceFailed | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(failure)

    def _spawn(self, work: asyncio.Task[None]) -> None:
        self._tasks.append(work)
        work.add_done_callback(self._noticed)

    def _noticed(self, work: asyncio.Task[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if isinstance(error, ServiceFailed):
            self._end(error)
        elif error is not None:
            self._end(ServiceFailed("supervisor", detail=f"failed: {error!r}"))

    async def _start_all(self) -> None:
        begun_s = time.monotonic()
        for keeper in self._keepers:
            await keeper.start()
            if not keeper.is_step:
                self._spawn(asyncio.create_task(keeper.keep(fail_fast=self._plan.fail_fast)))
        self.emit(Event("up", seconds=round(time.monotonic() - begun_s, 3)))
        if self._plan.companion is not None:
            await self._accompany(self._plan.companion)

    async def _accompany(self, service: Service) -> None:
        child = self._companion = self._nursery.launch(service)
        for fd in service.pass_fds:  # only the companion may answer on what was opened for it
            os.close(fd)
        await asyncio.wait({child.exited})
        self.emit(Event("companion", service.name, pid=child.pid, code=child.exited.result()))

    async def run(self) -> int:
        """Run until asked to stop or until a service fails for good; 0 or 1."""
        self._spawn(asyncio.create_task(self._start_all()))
        failure = await self._outcome
        if failure is not None:
            self.request(Pace.HURRY, hurry_s=self._plan.hurry_s)
            self.emit(Event("failed", failure.name, detail=failure.detail, tail=failure.tail))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_all()
        return 0 if failure is None else 1

    async def _stop_all(self) -> None:
        self.emit(Event("stopping"))
        if self._companion is not None:
            await self._stop(self._companion, number=signal.SIGTERM, graces_s=[COMPANION_GRACE_S])
        for index, keeper in reversed(list(enumerate(self._keepers))):
            if keeper.child is None or keeper.child.exited.done():
                continue
            begun_s = time.monotonic()
            later = [each.service.grace_s for each in self._keepers[:index] if not each.is_step]
            graces_s = [keeper.service.grace_s, *later]
            how = await self._stop(keeper.child, number=keeper.service.stop_signal, graces_s=graces_s)
            took_s = round(time.monotonic() - begun_s, 3)
            self.emit(Event("stopped", keeper.service.name, pid=keeper.child.pid, seconds=took_s, detail=how))
        await self._nursery.clear_orphans()

    async def _stop(self, child: Child, *, number: int, graces_s: list[float]) -> str:
        """Signal, wait, kill; then clear what is left of it. Says `killed` when the grace was not enough."""
        begun_s, how = time.monotonic(), ""
        processes.send(child.pid, number=number)
        while not child.exited.done():
            await asyncio.wait({child.exited}, timeout=GLANCE_S)
            if time.monotonic() >= self._patience_until_s(begun_s, graces_s=graces_s):
                how = how or ("" if child.exited.done() else "killed")
                processes.send(child.pid, number=signal.SIGKILL)
        await self._nursery.clear_orphans()
        return how

    def _patience_until_s(self, begun_s: float, *, graces_s: list[float]) -> float:
        if self._pace is Pace.DRAIN:
            return begun_s + graces_s[0]
        if self._pace is Pace.NOW:
            return begun_s
        since_s = max(begun_s, self._pace_since_s)
        return since_s + share_s(self._hurry_until_s - since_s, graces_s=graces_s)


async def _follow(commands: asyncio.StreamReader, *, guardian: Guardian, plan: Plan) -> None:
    while line := await commands.readline():
        guardian.request(PACES[line.strip()], hurry_s=plan.hurry_s)
    guardian.request(Pace.HURRY, hurry_s=plan.orphaned_s)


async def _main(control: socket.socket) -> int:
    commands, out = await asyncio.open_connection(sock=control, limit=LINE_LIMIT_BYTES)
    line = await commands.readline()
    if not line:
        return 1
    plan = Plan.from_json(line)
    guardian = Guardian(plan, out=out)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: guardian.request(Pace.HURRY, hurry_s=plan.hurry_s)
        )
    following = asyncio.create_task(_follow(commands, guardian=guardian, plan=plan))
    code = await guardian.run()
    following.cancel()
    guardian.emit(Event("down", code=code))
    with contextlib.suppress(OSError):
        await out.drain()
    out.close()
    return code


def main() -> None:
    """Serve the socket named by the first argument."""
    processes.adopt_orphans()
    sys.exit(asyncio.run(_main(socket.socket(fileno=int(sys.argv[1])))))


if __name__ == "__main__":
    main()
