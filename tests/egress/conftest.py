"""Starts loopback servers and stops them after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.egress.fakes import Handler, Server


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Server]]:
    servers: list[Server] = []

    def start(handler: Handler) -> Server:
        servers.append(Server(handler))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
