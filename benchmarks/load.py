"""Load from a process of its own: keep-alive connections, one thread each, every answer's latency kept."""

from __future__ import annotations

import http.client
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """The same request again and again; every answer must have such a status and contain these bytes."""

    port: int
    path: str
    body: bytes
    headers: Mapping[str, str]
    expected: tuple[int, ...]
    method: str = "POST"
    contains: bytes = b""


_kept: dict[tuple[int, int], http.client.HTTPConnection] = {}


def _one_connection(request: Request, *, number: int, count: int) -> list[float]:
    connection = _kept.setdefault((request.port, number), http.client.HTTPConnection("127.0.0.1", request.port))
    latencies = []
    for _ in range(count):
        begun = time.perf_counter()
        connection.request(request.method, request.path, body=request.body, headers=dict(request.headers))
        answer = connection.getresponse()
        text = answer.read()
        latencies.append((time.perf_counter() - begun) * 1000)
        if answer.status not in request.expected or request.contains not in text:
            raise RuntimeError(f"{request.path} answered {answer.status}: {text[:500]!r}")
    return latencies


def _all_connections(request: Request, count: int, connections: int) -> list[float]:
    each = -(-count // connections)
    with ThreadPoolExecutor(connections) as pool:
        runs = [pool.submit(_one_connection, request, number=number, count=each) for number in range(connections)]
        return [latency for done in runs for latency in done.result()]


class Load:
    """The other process."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def send(self, request: Request, *, count: int, connections: int) -> list[float]:
        """Send so many requests (rounded up to whole rounds); returns each latency in milliseconds."""
        return self._pool.submit(_all_connections, request, count, connections).result()


@contextmanager
def load() -> Iterator[Load]:
    """A load process whose connections stay open from one `send` to the next."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield Load(pool)
