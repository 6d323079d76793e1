"""The sender: claims in batches, POSTs in threads, records in batches. Any number of processes may run one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connections

from egress.facade import Client, Policy
from observe.facade import get_logger
from webhooks import parcels
from webhooks.claims import claim_due
from webhooks.contracts import Claim, Outcome
from webhooks.destinations import new_client, policy
from webhooks.fanout import dispatch_events
from webhooks.posters import Posters
from webhooks.replaying import Replayer
from webhooks.results import record

QUICK_SENDERS = 64  # they only wait, so more of them cost little
SLOW_SENDERS = 16  # endpoints that answer slowly wait for each other, never for the quick ones
IDLE_S = 0.5  # a lost wake-up costs half a second
LINGER_S = 0.02  # lets results come together, so that claims and records go in batches
RETRY_S = 1.0  # after the database was away
GRACE_S = 5.0  # for what is under way when told to stop; the rest comes back when its lease ends

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """Senders for quick or for slow endpoints; a tenant holds half of them at most."""

    slow: bool
    senders: int

    @property
    def room_of_tenant(self) -> int:
        return max(self.senders // 2, 1)


LANES = (Lane(slow=False, senders=QUICK_SENDERS), Lane(slow=True, senders=SLOW_SENDERS))


class Sender:
    """One process's senders. Database work happens in the caller's thread only."""

    def __init__(
        self,
        *,
        client: Client,
        allowed: Policy,
        lanes: Sequence[Lane] = LANES,
        threads: int = QUICK_SENDERS + SLOW_SENDERS,
        news: threading.Event | None = None,
    ) -> None:
        self.news = news or threading.Event()
        self._lanes = lanes
        self._running: dict[UUID, tuple[Lane, UUID]] = {}
        self._unrecorded: list[Outcome] = []
        self._book = parcels.DestinationBook()
        self._posters = Posters(count=threads, client=client, allowed=allowed, news=self.news)

    @property
    def busy(self) -> int:
        """How many POSTs are under way or not yet recorded."""
        return len(self._running)

    def turn(self) -> int:
        """Record what came back, then start what is due and fits; returns how many of both."""
        return self.record_finished() + sum(self._fill(lane) for lane in self._lanes)

    def record_finished(self) -> int:
        """Store all results so far. They are kept until that has worked."""
        self._unrecorded += self._posters.take_finished()
        if not self._unrecorded:
            return 0
        record(self._unrecorded)
        for outcome in self._unrecorded:
            self._running.pop(outcome.claim.token, None)
        count, self._unrecorded = len(self._unrecorded), []
        return count

    def close(self) -> None:
        self._posters.close()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill(self, lane: Lane) -> int:
        running = Counter(tenant for used, tenant in self._running.values() if used is lane)
        free = lane.senders - running.total()
        if free <= 0:
            return 0
        claims = claim_due(
            free=free,
            lease_s=float(settings.LEASE_S),
            slow=lane.slow,
            room_of_tenant=lane.room_of_tenant,
            running=running,
        )
        self._start(claims, lane=lane)
        return len(claims)

    def _start(self, claims: Sequence[Claim], *, lane: Lane) -> None:
        if not claims:
            return
        ready, hopeless = parcels.load(claims, book=self._book)
        self._unrecorded += hopeless
        self._running.update({claim.token: (lane, claim.tenant_id) for claim in claims})
        for parcel in ready:
            self._posters.send(parcel)


def deliver_due(limit: int = 100, *, client: Client | None = None) -> int:
    """Send what is due now, up to `limit` per lane, and wait for the results; returns how many were claimed."""
    lanes = (Lane(slow=False, senders=limit), Lane(slow=True, senders=limit))
    with ExitStack() as stack:
        used = client or stack.enter_context(new_client())
        threads = min(limit, QUICK_SENDERS)
        sender = stack.enter_context(Sender(client=used, allowed=policy(), lanes=lanes, threads=threads))
        claimed = sender.turn()
        while sender.busy:
            sender.news.wait(IDLE_S)
            sender.news.clear()
            sender.record_finished()
    return claimed


def run_sender(stop: threading.Event, *, wake: threading.Event | None = None) -> None:
    """Fan out events, make replays' steps and send deliveries until `stop` is set.

    Setting `wake` after publishing starts it at once.
    """
    replayer = Replayer()
    with new_client() as client, Sender(client=client, allowed=policy(), news=wake) as sender:
        while not stop.is_set():
            sender.news.clear()
            if not _step(sender, replayer, stop):
                sender.news.wait(IDLE_S)
            elif sender.busy:
                stop.wait(LINGER_S)
        _finish(sender)


def _step(sender: Sender, replayer: Replayer, stop: threading.Event) -> bool:
    try:
        return dispatch_events() + replayer.turn() + sender.turn() > 0
    except DatabaseFault as error:
        # Its state only: the text of an error quotes the statement.
        state = getattr(error.__cause__, "sqlstate", None)
        _log.error("webhook_sender_waits_for_database", kind=type(error).__name__, sqlstate=state)
        _drop_connections()
        stop.wait(RETRY_S)
        return True


def _finish(sender: Sender) -> None:
    ends_at = time.monotonic() + GRACE_S
    try:
        while sender.record_finished() or (sender.busy and time.monotonic() < ends_at):
            sender.news.wait(LINGER_S)
    except DatabaseFault as error:
        _log.warning("webhook_results_left_to_leases", kind=type(error).__name__)
    _drop_connections()


def _drop_connections() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
