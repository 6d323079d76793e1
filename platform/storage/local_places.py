"""How an object's bytes come to their place in the local store: moved there, or as a second name of another's."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from storage.errors import ObjectExists, ObjectMissing
from storage.local_entries import DATA, describe

Put = Callable[[int, str], None]  # brings the bytes to a name in an open folder


def place_file(temporary: Path, folder: int, name: str, *, exclusive: bool = False) -> None:
    """Gives a finished file its place; `exclusive` raises `ObjectExists` where the place is taken."""
    if not exclusive:
        os.replace(temporary, name + DATA, dst_dir_fd=folder)
        return
    try:
        os.link(temporary, name + DATA, dst_dir_fd=folder)  # fails when taken; a rename would not
    except FileExistsError:
        raise ObjectExists from None
    temporary.unlink()


def place_link(source: int, source_name: str, folder: int, name: str, *, spare: Path) -> None:
    """Gives another object's file a second place, through `spare` where one is to be replaced.

    Raises `ObjectMissing` when the other has gone meanwhile.
    """
    linked = partial(os.link, source_name + DATA, src_dir_fd=source, follow_symlinks=False)
    try:
        linked(name + DATA, dst_dir_fd=folder)
    except FileExistsError:
        linked(spare)
        place_file(spare, folder, name)
        spare.unlink(missing_ok=True)  # a rename does nothing where both are the same file
    except FileNotFoundError:
        if describe("", folder=source, name=source_name) is None:
            raise ObjectMissing from None
        raise
