"""A folder for one step's files: gone with the step, or swept at the next start when its process was killed."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from django.conf import settings

STALE_S = 86_400  # no step lives a day
FOLDER_S = 43_200  # a process's folder for small files: a new one before the old one could look stale


@contextmanager
def workspace() -> Iterator[Path]:
    """A fresh private folder on local disk."""
    root: Path = settings.WORK_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


class Scratch:
    """A few files of one short step in this process's own folder: a folder for each would cost more than the files."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def path(self, name: str) -> Path:
        """Where the file of this name is, or is to be."""
        if not self._files:
            self._stem = f"{_own_folder()}/{secrets.token_hex(8)}"
        return self._files.setdefault(name, Path(f"{self._stem}.{name}"))

    def clear(self) -> None:
        """Remove the files."""
        for path in self._files.values():
            with suppress(FileNotFoundError):
                path.unlink()


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Files that go at the end of the block."""
    files = Scratch()
    try:
        yield files
    finally:
        files.clear()


def _own_folder() -> Path:
    return _folder(os.getpid(), int(time.monotonic() // FOLDER_S))


@lru_cache(maxsize=1)
def _folder(pid: int, period: int) -> Path:
    root: Path = settings.WORK_DIR
    folder = root / f"process-{pid}-{period}-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def sweep_workspaces() -> None:
    """Remove what killed processes left behind."""
    for folder in settings.WORK_DIR.glob("*"):
        if time.time() - folder.stat().st_mtime > STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
