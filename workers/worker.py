"""A worker process: Celery brings wake-ups, `dispatch.Worker` claims and runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from workers.app import require_safe_database, serve_metrics, set_up
from workers.slots import chosen, is_pool, parse_slots

if TYPE_CHECKING:
    from dispatch.facade import Worker

REGISTER_EVERY_S = 5.0


def main() -> int:
    """Work until SIGTERM; the items in hand are finished first."""
    set_up("worker")
    require_safe_database()
    serve_metrics()
    stop = threading.Event()
    run(_make_worker(stop), stop=stop)
    return 0


def run(worker: Worker, *, stop: threading.Event, finish: Callable[[], None] | None = None) -> None:
    """Take wake-ups until SIGTERM, then `finish` what is in hand: all of it, unless somebody knows better."""
    from celery.signals import setup_logging, worker_ready, worker_shutting_down

    from dispatch.facade import TASK, await_resume, celery_app, quarantined_since
    from workers.supervisor.ready import announce_ready

    setup_logging.connect(lambda **_: None, weak=False)  # ours stays as it is
    if quarantined_since(using="system") is not None:
        announce_ready()
        await_resume(stop)
    app = celery_app()
    app.task(name=TASK)(worker.drain)
    worker_shutting_down.connect(
        lambda **_: threading.Thread(target=_leave, args=(stop, finish or worker.wait_until_idle)).start(), weak=False
    )
    worker_ready.connect(lambda **_: announce_ready(), weak=False)
    register = threading.Thread(target=worker.keep_registered, kwargs={"every_s": REGISTER_EVERY_S}, daemon=True)
    register.start()
    app.worker_main(_arguments(worker))


def _leave(stop: threading.Event, finish: Callable[[], None]) -> None:
    """End as soon as the items in hand are done. Messages are hints and leases expire: no longer goodbye is needed."""
    from speech.facade import close_pools

    stop.set()
    finish()
    close_pools()
    os._exit(0)


def _make_worker(stop: threading.Event) -> Worker:
    from django.conf import settings

    from dispatch.facade import Worker
    from speech import facade as speech

    speech.sweep_workspaces()
    served = [executor for executor in map(speech.executor_for, speech.engine_names()) if not is_pool(executor)]
    executors = chosen([speech.MEDIA, *served, *speech.own_executors()], settings.EXECUTORS)
    return Worker(speech.JOB_KINDS, slots=parse_slots(settings.SLOTS, executors=executors), stop=stop)


def _arguments(worker: Worker) -> list[str]:
    threads = sum(worker.slots.values()) + 2  # two to answer wake-ups for which every slot is busy
    return [
        "worker", "--pool=threads", f"--concurrency={threads}", f"--queues={','.join(worker.slots)}",
        f"--hostname=parlance-{os.getpid()}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel=WARNING",
    ]  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
