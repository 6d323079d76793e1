"""A webhook receiver that notes every message under its webhook-id and checks every signature."""

from __future__ import annotations

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """Answers 204 on loopback; one path and one secret per tenant."""

    def __init__(self, port: int = 0) -> None:
        self._secrets: dict[str, str] = {}
        self._bodies: dict[str, list[bytes]] = defaultdict(list)
        self._guard = threading.Lock()
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender was killed in the middle of it: that is no message
                    self.close_connection = True
                    return
                self.send_response(
                    204 if receiver.take(self.path, headers=dict(self.headers.items()), body=body) else 400
                )
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.host_port = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, name: str) -> str:
        """Where the tenant of this name has its events sent."""
        return f"http://{self.host_port}/{name}"

    def trust(self, name: str, *, secret: str) -> None:
        """Accept messages to this name's URL that are signed with the secret."""
        self._secrets[f"/{name}"] = secret

    def take(self, path: str, *, headers: dict[str, str], body: bytes) -> bool:
        """Note one message; False when its signature is wrong."""
        try:
            Webhook(self._secrets[path]).verify(body, headers)
        except (KeyError, WebhookVerificationError):
            with self._guard:
                self.refused += 1
            return False
        named = {name.lower(): value for name, value in headers.items()}
        with self._guard:
            self._bodies[named["webhook-id"]].append(body)
        return True

    def bodies(self) -> dict[str, list[bytes]]:
        """Everything received so far: webhook-id → the bodies that came with it."""
        with self._guard:
            return {key: list(bodies) for key, bodies in self._bodies.items()}
