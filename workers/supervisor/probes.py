"""Looking whether a service is ready, without its client library and without blocking the guardian."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from workers.supervisor.plan import Probe

ANSWER_LIMIT_S = 2.0  # a probe that takes longer is asked again
# Start-up message of protocol 3.0 as in the manual's "Message Formats": the server answers R (authenticate)
# when it takes connections and E (error) while it still recovers.
_STARTUP_BODY = (196608).to_bytes(4, "big") + b"user\0postgres\0database\0postgres\0\0"
POSTGRES_STARTUP = (len(_STARTUP_BODY) + 4).to_bytes(4, "big") + _STARTUP_BODY


async def _ask_socket(path: str, *, request: bytes, size_bytes: int) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(request)
        return await reader.readexactly(size_bytes)
    finally:
        writer.close()


async def _redis(path: str) -> bool:
    return await _ask_socket(path, request=b"PING\r\n", size_bytes=5) == b"+PONG"


async def _postgres(path: str) -> bool:
    return await _ask_socket(path, request=POSTGRES_STARTUP, size_bytes=1) == b"R"


async def _http(url: str) -> bool:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        head = f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        return (await reader.readline()).split()[1:2] == [b"200"]
    finally:
        writer.close()


CHECKS: dict[str, Callable[[str], Awaitable[bool]]] = {"redis": _redis, "postgres": _postgres, "http": _http}


async def is_ready(probe: Probe) -> bool:
    """Ask once; a refused, cut or late answer means no."""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await CHECKS[probe.kind](probe.target)
    except (OSError, EOFError, TimeoutError):
        return False
