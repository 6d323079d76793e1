"""Reaching the instance that runs in a home."""

import os
import urllib.error
import urllib.request

from workers.embedded.errors import HomeError
from workers.embedded.home import Home, is_alive

READY_LIMIT_S = 3.0


def is_green(url: str) -> bool:
    """Ask /readyz once, without a proxy: `url` is the instance's own, on loopback or in the cluster."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=READY_LIMIT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def adopt_environment(home: Home, *, required: bool) -> None:
    """Give this process the environment of the instance in `home`, unless the user set real services.

    With `required`, an instance that does not run is an error that says so.
    """
    if os.environ.get("DATABASE_URL"):
        return
    state = home.state()
    if is_alive(state) and state.get("env"):
        os.environ.update(state["env"])
    elif required:
        raise HomeError(
            f"Parlance is not running in {home.path}. Start it with `parlance up`, or set DATABASE_URL, "
            "DATABASE_OWNER_URL and DATABASE_SYSTEM_URL to use your own PostgreSQL."
        )
