"""`parlance status`: what runs in a home."""

import contextlib
import importlib.metadata
import sys
from typing import Any

import psycopg

from workers.cli.checks import versions
from workers.cli.output import Printer
from workers.cli.running import is_green
from workers.cli.tracking import title
from workers.embedded.home import Home, is_alive, is_held


def _versions(home: Home) -> dict[str, str]:
    found = {"parlance": "unknown", "python": sys.version.split()[0]}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["parlance"] = importlib.metadata.version("parlance-server")
    # Whoever brings their own servers may be on a machine where ours do not run.
    with contextlib.suppress(Exception):
        found |= versions(home)
    return found


def look(home: Home) -> dict[str, Any]:
    """Return what `status --json` prints; a living supervisor is asked through its own /readyz."""
    state = home.state() if is_held(home) else {}
    running = is_alive(state)
    url = state.get("url", "") if running else ""
    return {
        "home": str(home.path),
        "running": running,
        "ready": bool(url) and is_green(url),
        "state": state.get("state", "") if running else "stopped",
        "pid": state.get("pid") if running else None,
        "url": url or None,
        "quarantined_since": _quarantined_since(state.get("env", {})) if running else None,
        "services": state.get("services", {}) if running else {},
        "versions": _versions(home),
    }


def _quarantined_since(env: dict[str, str]) -> str | None:
    """Return when a backup was restored that nobody has resumed; None also while the database does not answer."""
    try:
        with psycopg.connect(env.get("DATABASE_SYSTEM_URL", ""), connect_timeout=3) as connection:
            row = connection.execute("SELECT since FROM public.quarantine").fetchone()
    except psycopg.Error:
        return None
    return row[0].isoformat() if row else None


def show(found: dict[str, Any], *, printer: Printer) -> None:
    """Print it."""
    if not found["running"]:
        printer.say(f"Parlance is not running in {found['home']}. Start it with `parlance up`.", **found)
        return
    ready = "ready" if found["ready"] else f"not ready ({found['state']})"
    printer.say(f"{found['url']} is {ready}, pid {found['pid']}, home {found['home']}", **found)
    if printer.as_json:
        return
    if found["quarantined_since"]:
        text = f"  in quarantine since {found['quarantined_since']}: it only reads. End it with `parlance resume`."
        printer.say(text, style="warn")
    running = {name: each for name, each in found["services"].items() if each["state"] != "done"}
    for name, service in running.items():
        restarts = f", restarted {service['restarts']} times" if service["restarts"] else ""
        printer.say(f"  {title(name):<14} pid {service['pid']:<8} {service['state']}{restarts}")
    printer.say("  " + " · ".join(f"{name} {version}" for name, version in found["versions"].items()))
