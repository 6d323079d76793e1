"""Redis as a service: append-only, nothing evicted, unix socket only."""

import signal
from pathlib import Path

from workers.embedded.binaries import MINIMAL_ENV, redis_server
from workers.embedded.home import Home
from workers.supervisor.plan import Probe, Service


def redis_service(home: Home, *, socket: Path) -> Service:
    """Return the server; its data folder is its working folder, so the path needs no quoting."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": ".",
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Service(
        name="redis",
        argv=(str(redis_server()), *flags),
        env=MINIMAL_ENV,
        cwd=str(home.redis),
        probe=Probe("redis", str(socket)),
        log=str(home.log("redis")),
        grace_s=5,
        death_signal=signal.SIGTERM,
    )
