"""A streamed write into the local store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import StorageUnavailable, TooLarge
from storage.ports import Chunk, ObjectInfo

Publish = Callable[[Path], ObjectInfo]


class LocalWriter:
    """Writes to a temporary file; `publish` moves it to its key."""

    def __init__(self, temporary: Path, *, max_bytes: int, durable: bool, publish: Publish) -> None:
        self._temporary = temporary
        self._max_bytes = max_bytes
        self._durable = durable
        self._publish = publish
        self._size_bytes = 0
        self._published = False
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            raise StorageUnavailable from None
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115, PTH123 - lives as long as the writer

    def write(self, chunk: Chunk) -> None:
        view = memoryview(chunk)
        self._size_bytes += len(view)
        if self._size_bytes > self._max_bytes:
            self.abort()
            raise TooLarge
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self.abort()
            raise StorageUnavailable from None

    def commit(self) -> ObjectInfo:
        try:
            if self._durable:
                os.fsync(self._file.fileno())
            self._file.close()
            info = self._publish(self._temporary)
            self._published = True
            return info
        except OSError:
            raise StorageUnavailable from None
        finally:
            self.abort()

    def abort(self) -> None:
        self._file.close()
        if not self._published:
            with contextlib.suppress(OSError):
                self._temporary.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
