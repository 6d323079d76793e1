"""Named moments at which a test may kill this process; nothing happens unless one is armed.

`PARLANCE_FAILPOINT_DIR` names a folder; a file in it with a point's name arms that point once, for the first process
that reaches it: the file is taken away (so that a restarted process lives) and the process kills itself.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_FOLDER = os.environ.get("PARLANCE_FAILPOINT_DIR")


def failpoint(name: str) -> None:
    """Die here by SIGKILL if a test armed this point."""
    if _FOLDER is None:
        return
    try:
        (Path(_FOLDER) / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
