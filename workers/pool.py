"""The process of a Whisper pool: one model, whose steps the windows of all tenants share. The only one with torch.

Around the model it is a worker like any other, of the executor `pool:<model>`: it claims in fair order, keeps its
leases, and a part that it has heard is kept. Its threads only wait for the model's.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workers.app import require_safe_database, serve_metrics, set_up
from workers.slots import parse_slots
from workers.worker import run

if TYPE_CHECKING:
    from dispatch.facade import Worker

DRAIN_S: Final = 110.0  # within the two minutes that SIGTERM gives; what is not done then is given back
GIVE_BACK_S: Final = 5.0  # a row in the database for each part in hand


def main() -> int:
    """Load the model, then work until SIGTERM."""
    set_up("pool")
    require_safe_database()
    from django.conf import settings

    from dispatch.facade import Worker
    from speech import facade as speech

    model = _model(speech.whisper_models())
    serve_metrics()
    speech.sweep_workspaces()
    pool = speech.start_whisper_pool(model)
    executor = speech.executor_for(speech.whisper_engine(model))
    stop = threading.Event()
    own = [word for word in settings.SLOTS if word.rpartition("=")[0] == executor]
    worker = Worker(speech.JOB_KINDS, slots=parse_slots(own, executors=[executor]), stop=stop)
    threading.Thread(target=_end_with, args=(pool, worker), kwargs={"stop": stop}, daemon=True).start()
    run(worker, stop=stop, finish=partial(_finish, pool, worker))
    return 0


def _finish(pool: Any, worker: Worker) -> None:
    """Hear what is begun to its end, as long as there is time; everything else is another pool's at once."""
    pool.leave()
    worker.wait_until_idle(limit_s=DRAIN_S)
    pool.stop()
    worker.wait_until_idle(limit_s=GIVE_BACK_S)


def _end_with(pool: Any, worker: Worker, *, stop: threading.Event) -> None:
    """A pool that died takes its process along, to be started anew: nobody may wait for it."""
    pool.join()
    if not stop.is_set():
        stop.set()
        worker.wait_until_idle(limit_s=GIVE_BACK_S)
        os._exit(1)


def _model(known: tuple[str, ...]) -> str:
    wanted = os.environ.get("PARLANCE_POOL_MODEL") or next(iter(known), "")
    if wanted not in known:
        told = (
            f"Models here: {', '.join(known)}." if known else "There are no weights here: `parlance models pull base`."
        )
        raise SystemExit(f"There is no Whisper model {wanted!r} to serve. {told}")
    return wanted


if __name__ == "__main__":
    raise SystemExit(main())
