"""The process of a Whisper pool: one model, whose steps the windows of all tenants share. The only one with torch.

Around the model it is a worker like any other, of the executor `pool:<model>`: it claims in fair order, keeps its
leases, and a part that it has heard is kept. Its threads only wait for the model's.
"""

from __future__ import annotations

import os
import threading
from typing import Final

from workers.app import require_safe_database, serve_metrics, set_up
from workers.slots import parse_slots
from workers.worker import run

DRAIN_S: Final = 110.0  # within the two minutes that SIGTERM gives; what is not done runs again elsewhere


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
    speech.start_whisper_pool(model)
    executor = speech.executor_for(speech.whisper_engine(model))
    stop = threading.Event()
    own = [word for word in settings.SLOTS if word.rpartition("=")[0] == executor]
    run(Worker(speech.JOB_KINDS, slots=parse_slots(own, executors=[executor]), stop=stop), stop=stop, drain_s=DRAIN_S)
    return 0


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
