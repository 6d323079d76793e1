"""Closing a client while other threads or tasks are inside of one of its calls: each of them ends with `ClientClosed`.

Closing a socket does not wake a thread that waits for it; shutting it down does. Event loops wake by themselves.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from parlance._concurrency import a_sleep
from parlance._errors import ClientClosed

CONNECTED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")


class Closing:
    """For threads. Knows the sockets of the requests that are sent with its `extensions`."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self.extensions: Mapping[str, Any] = {"trace": self._note}

    def check(self) -> None:
        """Raises `ClientClosed` once it is."""
        if self._closed.is_set():
            raise ClientClosed

    def pause(self, seconds: float) -> None:
        """Sleep, unless the client is closed meanwhile."""
        self._closed.wait(seconds)
        self.check()

    def close(self, *, disconnect: bool) -> None:
        """No further request is sent; with `disconnect` those on their way end too."""
        self._closed.set()
        with self._lock:
            found = list(self._sockets) if disconnect else []
        for one in found:
            with contextlib.suppress(OSError):  # the other side was faster
                one.shutdown(socket.SHUT_RDWR)

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpcore tells of a request; https://www.encode.io/httpcore/extensions/#trace."""
        if event.endswith(CONNECTED):
            found = info["return_value"].get_extra_info("socket")
            if found is not None:
                with self._lock:
                    self._sockets.add(found)


class AsyncClosing:
    """The same for tasks."""

    def __init__(self) -> None:
        self._is_closed = False
        self.extensions: Mapping[str, Any] = {}

    def check(self) -> None:
        if self._is_closed:
            raise ClientClosed

    async def pause(self, seconds: float) -> None:
        await a_sleep(seconds)
        self.check()

    def close(self, *, disconnect: bool) -> None:
        self._is_closed = True
