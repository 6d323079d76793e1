"""A customer whose HTTP client behaves like an SDK: it repeats what failed, with the same Idempotency-Key."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.receiver import Receiver
from tests.faults.sounds import tone

GIVE_UP_S = 60.0  # every process is back within a few seconds
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
EVENTS = ["transcription.completed", "transcription.failed", "transcription.canceled"]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job as its customer knows it."""

    id: str
    key: str
    duration_ms: int


@dataclass(slots=True)
class Customer:
    """One tenant; everything it submitted is remembered."""

    name: str
    id: str
    http: httpx.Client
    submitted: list[Submitted] = field(default_factory=list)
    repeats: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, receiver: Receiver) -> None:
        """Have the ends of all jobs sent to the receiver."""
        body = {"url": receiver.url(self.name), "event_types": EVENTS}
        made = self.http.post("/v1/webhook-endpoints", json=body)
        assert made.status_code == 201, made.text
        receiver.trust(self.name, secret=made.json()["secret"])

    def submit(self, duration_ms: int = 3_000, *, by_upload: bool = False, **fields: str) -> Submitted:
        """Send a generated sound and return once the job is accepted, however often that takes."""
        fields = {"engine": "simulated"} | fields
        return self.submit_file(tone(duration_ms), duration_ms=duration_ms, by_upload=by_upload, **fields)

    def submit_file(
        self, content: bytes, *, duration_ms: int, by_upload: bool = False, key: str = "", **fields: str
    ) -> Submitted:
        """Send these bytes, under a key of their own unless one is given."""
        key = key or uuid4().hex
        headers = {"Idempotency-Key": key}
        if by_upload:
            fields = fields | {"upload_id": self.upload(content)}
            answer = self.repeat(lambda: self.http.post("/v1/transcriptions", json=fields, headers=headers))
        else:
            files = {"file": ("call.wav", content, "audio/wav")}
            answer = self.repeat(
                lambda: self.http.post("/v1/transcriptions", data=fields, files=files, headers=headers)
            )
        assert answer.status_code == 202, answer.text
        job = Submitted(id=answer.json()["id"], key=key, duration_ms=duration_ms)
        with self._guard:
            self.submitted.append(job)
        return job

    def upload(self, content: bytes) -> str:
        """PUT a file the way a ticket says; returns the upload's id."""
        body = {"filename": "call.wav", "content_type": "audio/wav", "size_bytes": len(content)}
        ticket = self.repeat(lambda: self.http.post("/v1/uploads", json=body)).json()
        to = ticket["upload"]
        put = self.repeat(
            lambda: httpx.request(to["method"], to["url"], headers=to["headers"], content=content, trust_env=False)
        )
        # 409: the first PUT arrived and only its answer was lost.
        assert put.is_success or put.status_code == 409, put.text
        return str(ticket["id"])

    def get(self, job: Submitted) -> dict[str, Any]:
        """The job as the API shows it."""
        found: dict[str, Any] = self.repeat(lambda: self.http.get(f"/v1/transcriptions/{job.id}")).json()
        return found

    def repeat(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until there is an answer that is not a failure of the server's."""
        for pause_s in _pauses():
            try:
                answer = send()
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
            except httpx.TransportError:
                pass  # refused, reset or cut: whether the server had acted is unknown, hence the key
            with self._guard:
                self.repeats += 1
            time.sleep(pause_s)
        raise AssertionError(f"no answer within {GIVE_UP_S:g} s")

    def submit_until(self, stop: threading.Event, *, pause_s: float = 0.1, **fields: str) -> None:
        """Submit jobs of different lengths, one after the other, until told to stop."""
        number = 0
        while not stop.is_set():
            number += 1
            self.submit(1_000 + 700 * (number % 20), by_upload=number % 3 == 0, **fields)
            stop.wait(pause_s)


def _pauses() -> Iterator[float]:
    ends_at = time.monotonic() + GIVE_UP_S
    pause_s = FIRST_PAUSE_S
    while time.monotonic() < ends_at:
        yield random.uniform(pause_s / 2, pause_s)
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
