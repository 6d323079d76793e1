"""The scheduler process: sweeps every second, dispatches events, sends due webhooks and e-mails, reconciles at night.

Any number may run.
"""

from __future__ import annotations

import signal
import threading

from workers.app import require_safe_database, serve_metrics, set_up


def main() -> int:
    """Run until SIGTERM."""
    set_up("scheduler")
    require_safe_database()
    from django.conf import settings

    from billing.facade import run_reconciler
    from billing.stripe.facade import run_collector
    from config.wiring import GAUGES, make_sweeper
    from dispatch.facade import await_resume
    from webhooks.facade import run_mailer, run_sender
    from workers.supervisor.ready import announce_ready

    serve_metrics(*GAUGES)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    announce_ready()
    if not await_resume(stop):
        return 0
    sender = threading.Thread(target=run_sender, args=(stop,), name="webhooks")
    sender.start()
    # A thread of its own, and nobody waits for its end: a mail server may hang for seconds.
    threading.Thread(target=run_mailer, args=(stop,), name="mail", daemon=True).start()
    # The same here: each call to Stripe is safe to be cut off at any moment.
    threading.Thread(target=run_collector, args=(stop,), name="stripe", daemon=True).start()
    # And here: a run that is cut off is begun anew.
    threading.Thread(target=run_reconciler, args=(stop,), name="reconciler", daemon=True).start()
    sweeper = make_sweeper()
    while not stop.is_set():
        sweeper.tick()
        stop.wait(settings.SWEEP_INTERVAL_MS / 1000)
    sender.join(timeout=25)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
