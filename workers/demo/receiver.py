"""A webhook receiver on loopback, as small as a tenant's could be; the signature is checked by the official library."""

import queue
import socket
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY_BYTES = 1_000_000
PATH = "/hook"


@dataclass(frozen=True, slots=True)
class Received:
    """One request, untouched: a signature covers the exact bytes."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature was right."""

    event_id: str
    event_type: str
    data: dict[str, Any]


class _Handler(BaseHTTPRequestHandler):
    inbox: "queue.Queue[Received]"

    def do_POST(self) -> None:
        """Take a message, answer at once, look at it later."""
        size_bytes = int(self.headers.get("Content-Length") or 0)
        if self.path != PATH or size_bytes > LARGEST_BODY_BYTES:
            self.send_error(404)
            return
        self.inbox.put(Received(dict(self.headers.items()), self.rfile.read(size_bytes)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Stay silent."""


class Receiver:
    """Answers on a socket that was opened before the services started."""

    def __init__(self, listening: socket.socket) -> None:
        """Start answering."""
        self._inbox: queue.Queue[Received] = queue.Queue()
        handler = type("Handler", (_Handler,), {"inbox": self._inbox})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening
        host, port = listening.getsockname()[:2]
        self.url = f"http://{host}:{port}{PATH}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait(self, event_type: str, *, subject: str, secret: str, limit_s: float) -> Verified | None:
        """Return the message about `subject` once its signature was verified; None when none came in time.

        A wrong signature raises WebhookVerificationError.
        """
        until_s = time.monotonic() + limit_s
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                message = _verified(self._inbox.get(timeout=left_s), secret=secret)
            except queue.Empty:
                return None
            if message.event_type == event_type and message.data.get("id") == subject:
                return message
        return None

    def __enter__(self) -> Self:
        """Return the receiver."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _verified(received: Received, *, secret: str) -> Verified:
    payload = Webhook(secret).verify(received.body, received.headers)
    headers = {name.lower(): value for name, value in received.headers.items()}
    if not isinstance(payload, dict) or not isinstance(payload.get("data"), dict):
        raise WebhookVerificationError("The message is signed but has no data")
    return Verified(headers["webhook-id"], str(payload.get("type")), payload["data"])
