"""The demo's tenant: made by the command that an operator would use, its key kept for the next start."""

import json
import secrets
import subprocess
from pathlib import Path

from workers.demo.api import ParlanceApi
from workers.demo.errors import DemoError
from workers.embedded.home import Home
from workers.embedded.secrets import write_once
from workers.supervisor.front import python_command

NAME = "demo"
CREATING_LIMIT_S = 60.0


def _create(name: str) -> str | None:
    done = subprocess.run(
        python_command("workers.cli", "tenant", "create", name, "--json"),
        capture_output=True,
        check=False,
        timeout=CREATING_LIMIT_S,
    )
    if done.returncode != 0:
        return None
    try:
        return str(json.loads(done.stdout.splitlines()[-1])["api_key"])
    except (ValueError, KeyError, IndexError):
        return None


def _key_file(home: Home) -> Path:
    return home.secrets / "demo.key"


def _kept_key(home: Home, *, url: str) -> str | None:
    if not _key_file(home).exists():
        return None
    key = _key_file(home).read_text("ascii").strip()
    with ParlanceApi(url, key=key) as api:
        return key if api.key_works() else None


def demo_key(home: Home, *, url: str) -> str:
    """Return the key of the last start while it works, else one of a new tenant."""
    if key := _kept_key(home, url=url):
        return key
    # The name may be taken by a tenant whose key was lost.
    key = _create(NAME) or _create(f"{NAME}-{secrets.token_hex(3)}")
    if key is None:
        todo = "Run `parlance tenant create demo --json` to see why."
        raise DemoError("tenant", detail="no demo tenant could be made", todo=todo)
    _key_file(home).unlink(missing_ok=True)
    write_once(_key_file(home), content=key)
    return key


def finance_link(role: str) -> str | None:
    """The path of a one-time link for a demo person of finance; None when the command failed."""
    done = subprocess.run(
        python_command("workers.cli", "user", "create", f"{role}@example.com", "--role", role, "--json"),
        capture_output=True,
        check=False,
        timeout=CREATING_LIMIT_S,
    )
    try:
        return str(json.loads(done.stdout.splitlines()[-1])["path"]) if done.returncode == 0 else None
    except (ValueError, KeyError, IndexError):
        return None
