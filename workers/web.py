"""The web process: the ASGI application behind granian."""

from __future__ import annotations

import os
import resource

from granian.constants import Interfaces
from granian.server import Server

REQUESTS = 1024  # connections at once, beside those of open event streams
SPARE_FILES = 512  # databases, Redis, files, libraries


def main() -> int:
    """Serve until told to stop."""
    connections = REQUESTS + int(os.environ.get("PARLANCE_MAX_STREAMS", "5000"))
    _allow_files(connections + SPARE_FILES)
    server = Server(
        "config.asgi:application",
        address=os.environ.get("PARLANCE_BIND", "127.0.0.1"),
        port=int(os.environ.get("PARLANCE_PORT", "8700")),
        interface=Interfaces.ASGINL,
        backpressure=connections,  # beyond it connections wait to be accepted
        workers=int(os.environ.get("PARLANCE_WEB_PROCESSES", "1")),
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    )
    server.serve()
    return 0


def _allow_files(wanted: int) -> None:
    """As many open files as that, or as the system lets this user have; a shell gives 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    raise SystemExit(main())
