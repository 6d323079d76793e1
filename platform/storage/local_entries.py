"""One object's files in a folder of the local store, and the faults of the disk in our own words."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from storage import folders
from storage.errors import ObjectMissing, StorageUnavailable
from storage.ports import DEFAULT_CONTENT_TYPE, ObjectInfo

DATA = "%data"
TYPE = "%type"
PARTS = "%parts"  # a folder: a file that comes in parts, each of them under its number
# By the ending of the name: these need no file of their own for their type, which would cost as much as the object's.
USUAL_TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm", "mulaw": "audio/basic", "json": "application/json",
}  # fmt: skip


def describe(key: str, *, folder: int, name: str, content_type: str | None = None) -> ObjectInfo | None:
    """Returns what is known about an object in an open folder, or None; a link is none."""
    try:
        found = os.stat(name + DATA, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    etag = f"{found.st_mtime_ns:x}-{found.st_size:x}"
    return ObjectInfo(key, found.st_size, content_type or content_type_of(folder, name=name), etag)


def content_type_of(folder: int, *, name: str) -> str:
    """Returns the stored content type, or what the name's ending stands for."""
    return folders.read_small(name + TYPE, folder=folder) or usual_type(name)


def usual_type(name: str) -> str:
    """Returns the content type that an object of this name has unless another is stored.

    >>> usual_type("speech-1.mp3"), usual_type("source")
    ('audio/mpeg', 'application/octet-stream')
    """
    return USUAL_TYPES.get(name.rpartition(".")[2], DEFAULT_CONTENT_TYPE)


def save_chunks(chunks: Iterator[bytes], *, path: Path) -> None:
    """Writes a local file that appears only when complete."""
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turns the disk's faults into ours; `from None`, because theirs quote paths."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ObjectMissing from None  # a symbolic link: never followed
        raise StorageUnavailable from None
