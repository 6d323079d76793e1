"""Files that a call writes: whole, or not there."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from parlance._errors import OutputFailed


@contextmanager
def written(target: str | os.PathLike[str] | BinaryIO) -> Iterator[Any]:
    """Where to write: an open file as it is; a path's file appears when all of it is there, and not at all otherwise.

    Raises `OutputFailed` at once, before anything is asked for, when it cannot be written there.
    """
    try:
        with _target(target) as file:
            yield file
    except OSError as error:
        where = target if isinstance(target, str | os.PathLike) else "the open file"
        raise OutputFailed(f"{where} cannot be written: {error.strerror or error}") from error


@contextmanager
def _target(target: str | os.PathLike[str] | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, str | os.PathLike):
        yield _checked(target)
        return
    path = Path(os.path.realpath(target))  # a link goes on pointing there
    if _is_special(path):  # such as /dev/stdout: nothing can take its place
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checked(file: BinaryIO) -> BinaryIO:
    try:
        file.write(b"")
    except TypeError:
        raise OutputFailed('the file is open as text: open(path, "wb").') from None
    except (AttributeError, ValueError) as error:  # no file, open for reading, closed
        raise OutputFailed(f"the open file cannot be written: {error}") from error
    return file


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        raise OutputFailed(f"{path.name or path} is a folder: give the name of a file.")
    return not stat.S_ISREG(mode)
