"""Threads that wait for receivers. They touch no database, and a process may end without waiting for them."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue

from egress.facade import Client, Policy
from observe.facade import span
from webhooks.contracts import Outcome, Parcel
from webhooks.posting import post


class Posters:
    """A fixed number of daemon threads; `news` is set whenever one has finished a POST."""

    def __init__(self, *, count: int, client: Client, allowed: Policy, news: threading.Event) -> None:
        self._client, self._allowed, self._news = client, allowed, news
        self._waiting: SimpleQueue[Parcel | None] = SimpleQueue()
        self._finished: SimpleQueue[Outcome] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"webhook-poster-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, parcel: Parcel) -> None:
        """Hand a parcel to the next free thread."""
        self._waiting.put(parcel)

    def take_finished(self) -> list[Outcome]:
        """All outcomes since the last call."""
        outcomes = []
        while True:
            try:
                outcomes.append(self._finished.get_nowait())
            except Empty:
                return outcomes

    def close(self) -> None:
        """Let every thread end after what it is doing; waits for none."""
        for _ in self._threads:
            self._waiting.put(None)

    def _run(self) -> None:
        while (parcel := self._waiting.get()) is not None:
            with span("webhook attempt", parent=parcel.traceparent) as around:
                answer = post(parcel, client=self._client, allowed=self._allowed)
                around.set(**{"http.response.status_code": answer.status or 0})
            self._finished.put(Outcome(claim=parcel.claim, answer=answer))
            self._news.set()
