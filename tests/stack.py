"""A whole running stack through the real `parlance up`, and tenants that use it over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_S = 120


@dataclass(frozen=True)
class Tenant:
    """A tenant of a running stack."""

    id: str
    live: httpx.Client
    test: httpx.Client
    api_key: str
    test_api_key: str


class Stack:
    """`parlance up --detach` on a home of its own."""

    def __init__(self, home: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._clients: list[httpx.Client] = []
        first = free_ports(3)
        self.metrics_urls = [f"http://127.0.0.1:{first + place}/metrics" for place in range(3)]
        watched = {"PARLANCE_METRICS_PORT": str(first)}
        self._environ = bare_environment() | {"PARLANCE_PG_FAST": "1"} | watched | dict(environ or {})

    def start(self) -> None:
        """Raises with the output when it does not come up."""
        self.parlance("up", "--detach", "--no-demo", "--port", str(self.port))

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.parlance("down", "--now")

    def parlance(self, *arguments: str) -> str:
        """Run the command as an operator would; its standard output."""
        command = [sys.executable, "-m", "workers.cli", *arguments]
        environ = self._environ | {"PARLANCE_HOME": str(self.home)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tenant(self, name: str, *options: str) -> Tenant:
        """A new tenant with clients for its live and its test key."""
        made: dict[str, Any] = json.loads(self.parlance("tenant", "create", name, "--json", *options))
        live, test = (self.client(made[key]) for key in ("api_key", "test_api_key"))
        return Tenant(made["id"], live, test, made["api_key"], made["test_api_key"])

    def client(self, key: str | None) -> httpx.Client:
        """An HTTP client with this key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        made = httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)
        self._clients.append(made)
        return made


def bare_environment() -> dict[str, str]:
    """This process's environment without any setting of ours."""
    ours = ("PARLANCE_", "DATABASE_", "REDIS_", "S3_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> int:
    """The first of so many ports in a row on which nobody listens."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
