"""The collector is killed (-9) right after Stripe did what it was told, before it heard so; again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.collecting.conftest import Billed, hurry
from tests.fakes.stripe_loopback.server import LoopbackStripe

PROGRAM = "from workers.app import set_up; set_up('t'); from billing.stripe.facade import collect_once; collect_once()"
KILLS = 5  # customer, invoice, lines, finalise, pay: each write of one statement


class Killer:
    """Runs the collector until it ends by itself; kills it after each of the first writes."""

    def __init__(self, loopback: LoopbackStripe) -> None:
        self._loopback, self.kills = loopback, 0
        self._process: Any = None
        loopback.after_write = self._kill

    def run(self) -> None:
        while self._once() == -signal.SIGKILL:
            hurry()

    def _once(self) -> int:
        environ = os.environ | {
            "PARLANCE_STRIPE_API_KEY": self._loopback.api_key, "PARLANCE_STRIPE_WEBHOOK_SECRET": self._loopback.secret,
            "PARLANCE_STRIPE_BASE_URL": self._loopback.url, "PYTHONPATH": os.pathsep.join(["platform", "."]),
        }  # fmt: skip
        self._process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environ)
        return int(self._process.wait(timeout=60))

    def _kill(self) -> None:
        if self.kills < KILLS and self._process is not None:
            self.kills += 1
            self._process.kill()
            self._process.wait()


@pytest.mark.long
def test_a_collector_killed_after_every_write_doubles_and_loses_nothing(
    at_stripe: LoopbackStripe, billed: Callable[..., Billed], collect: Callable[[], None]
) -> None:
    from billing.stripe.facade import push_statement

    somebody = billed(minutes=1000)
    push_statement(somebody.statement_id, actor="ann")
    killer = Killer(at_stripe)
    killer.run()
    assert killer.kills >= 4
    (invoice,) = at_stripe.account.every("invoice")
    assert (invoice["status"], invoice["total"]) == ("open", int(somebody.due * 100))
    assert len(at_stripe.account.every("customer")) == 1
    assert somebody.statement.status == "pushed"
