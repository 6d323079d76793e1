"""A provider's voice in a process of its own, in Azure's words: it notes when the first sample of each answer left.

Its input ends it; then it prints those moments, by the clock that all processes share.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

KEY, REGION = "bench", "bench"
THINKS_S: Final = 0.05  # before the first sample, and again before all others
FIRST_BYTES, OTHER_BYTES = 4_800, 96_000  # 0.1 s and 2 s of 24 kHz

left_s: list[float] = []


class Voice(BaseHTTPRequestHandler):
    """Speaks silence, whatever the text."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "audio/basic")
        self.send_header("Content-Length", str(FIRST_BYTES + OTHER_BYTES))
        self.end_headers()
        time.sleep(THINKS_S)
        left_s.append(time.monotonic())
        self.wfile.write(bytes(FIRST_BYTES))
        time.sleep(THINKS_S)
        self.wfile.write(bytes(OTHER_BYTES))

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    """Print the port, speak, and print the moments at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Voice)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    print(json.dumps(left_s), flush=True)


if __name__ == "__main__":
    main()
