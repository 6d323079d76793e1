"""The web process: the ASGI application behind granian."""

from __future__ import annotations

import os

from granian.constants import Interfaces
from granian.server import Server


def main() -> int:
    """Serve until told to stop."""
    server = Server(
        "config.asgi:application",
        address=os.environ.get("PARLANCE_BIND", "127.0.0.1"),
        port=int(os.environ.get("PARLANCE_PORT", "8700")),
        interface=Interfaces.ASGINL,
        workers=int(os.environ.get("PARLANCE_WEB_PROCESSES", "1")),
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    )
    server.serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
