"""Files that customers send to the local store in parts.

While it comes, such a file is a folder `NAME%parts` beside where its object will be, so that deleting a prefix takes
it along. Each part is a file of its own under its number, and appears whole or not at all; so a retry, two senders at
once and a killed server need no lock.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from storage import folders
from storage.errors import ObjectMissing
from storage.keys import check_key
from storage.local_entries import PARTS, disk_errors
from storage.ports import CHUNK_BYTES, ObjectInfo, Part


class LocalParts:
    """The folders of parts below `objects`."""

    def __init__(self, objects: Path, *, durable: bool) -> None:
        self._objects = objects
        self._durable = durable

    def start(self, key: str) -> None:
        with disk_errors(), folders.opened(self._objects, folders=_path(key), create=True, durable=self._durable):
            pass

    def arrived(self, key: str) -> list[Part]:
        """In order; raises `ObjectMissing` when there is no such folder."""
        with self._folder(key) as folder:
            names = sorted(folders.names(folder, marked=""))
            return [Part(int(name), os.stat(name, dir_fd=folder).st_size) for name in names]

    def publish(self, temporary: Path, *, key: str, number: int) -> ObjectInfo:
        """Makes a whole part visible in place of an earlier one; raises `ObjectMissing` when none can come any more."""
        with self._folder(key) as folder:
            found = temporary.stat()
            os.replace(temporary, _name(number), dst_dir_fd=folder)
            if self._durable:
                os.fsync(folder)
        return ObjectInfo(key, found.st_size, "", f"{found.st_mtime_ns:x}-{found.st_size:x}")

    def chunks(self, key: str, *, number: int) -> Iterator[bytes]:
        """The bytes of a part; raises `ObjectMissing`."""
        with self._folder(key) as folder:
            descriptor = folders.open_file(_name(number), folder=folder)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor, not a path
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def drop(self, key: str) -> None:
        *parents, name = _path(key)
        with (
            disk_errors(),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            folders.opened(self._objects, folders=parents) as parent,
        ):
            folders.remove_tree(name, parent=parent, counted=PARTS)

    @contextlib.contextmanager
    def _folder(self, key: str) -> Iterator[int]:
        with disk_errors():
            try:
                with folders.opened(self._objects, folders=_path(key)) as folder:
                    yield folder
            except (FileNotFoundError, NotADirectoryError):
                raise ObjectMissing from None


def _path(key: str) -> list[str]:
    *parents, name = check_key(key).split("/")
    return [*parents, name + PARTS]


def _name(number: int) -> str:
    """
    >>> _name(12)
    '00012'
    """
    return f"{number:05}"
