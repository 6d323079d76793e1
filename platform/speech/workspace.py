"""A folder for one step's files: gone with the step, or swept at the next start when its process was killed."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

STALE_S = 86_400  # no step lives a day


@contextmanager
def workspace() -> Iterator[Path]:
    """A fresh private folder on local disk."""
    root: Path = settings.WORK_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def sweep_workspaces() -> None:
    """Remove what killed processes left behind."""
    for folder in settings.WORK_DIR.glob("*"):
        if time.time() - folder.stat().st_mtime > STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
