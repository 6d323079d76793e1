"""Walks a folder tree by descriptors, so that no symbolic link can lead out of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def opened(root: Path, *, folders: list[str], create: bool = False, durable: bool = False) -> Iterator[int]:
    """Yields a descriptor of a folder below `root`; raises FileNotFoundError, NotADirectoryError for a link."""
    descriptor = os.open(root, _FOLDER)
    try:
        for folder in folders:
            following = _child(descriptor, name=folder, create=create, durable=durable)
            os.close(descriptor)
            descriptor = following
        yield descriptor
    finally:
        os.close(descriptor)


def _child(parent: int, *, name: str, create: bool, durable: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
        if durable:
            os.fsync(parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def open_file(name: str, *, folder: int) -> int:
    """Returns a descriptor for reading; raises OSError for a link."""
    return os.open(name, _FILE, dir_fd=folder)


def read_small(name: str, *, folder: int) -> str | None:
    """Returns a small text file, or None."""
    try:
        descriptor = open_file(name, folder=folder)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read(4096).decode()


def names(folder: int, *, marked: str) -> list[str]:
    """Returns the names of files that end in `marked`, without it, and of folders with a slash at the end."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if "%" not in entry.name:  # the store's own
                    found.append(entry.name + "/")
            elif entry.name.endswith(marked):
                found.append(entry.name.removesuffix(marked))
    return found


def remove_tree(name: str, *, parent: int, counted: str) -> int:
    """Deletes a folder with everything in it, links unfollowed; returns how many names ended in `counted`."""
    removed = 0
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for child, is_folder in found:
            # Somebody else may remove a part of it at the same time: the rest goes all the same.
            with contextlib.suppress(FileNotFoundError):
                if is_folder:
                    removed += remove_tree(child, parent=folder, counted=counted)
                else:
                    os.unlink(child, dir_fd=folder)
                    removed += child.endswith(counted)
    finally:
        os.close(folder)
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=parent)  # not empty when a writer came in between: its object stays
    return removed
