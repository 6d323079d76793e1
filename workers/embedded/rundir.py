"""A short folder for sockets: their paths must stay below 100 bytes however long the home's path is."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from workers.embedded.errors import HomeError

SOCKET_PATH_LIMIT_BYTES = 100
LONGEST_SOCKET = "/pg/.s.PGSQL.5432.lock"
ATTEMPTS = 20  # somebody else may sit on a name in a shared folder, not on all of them


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _made(path: Path) -> bool:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return _is_ours(path)
    except OSError:
        return False
    return True


def _roots(environ: Mapping[str, str]) -> list[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    private = [Path(runtime)] if runtime and Path(runtime).is_dir() and _is_ours(Path(runtime)) else []
    return [*private, Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - checked for its owner below


def digest(home: Path) -> str:
    """Return a short name for a home's path."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def make_run_dir(home: Path, *, environ: Mapping[str, str], group: int | None = None) -> Path:
    """Return this home's folder for sockets, made if absent, 0700; 0710 for a group that must reach in."""
    for root in _roots(environ):
        for attempt in range(ATTEMPTS):
            suffix = f"-{attempt}" if attempt else ""
            path = root / f"parlance-{digest(home)}-{os.geteuid()}{suffix}"
            if len(os.fsencode(path)) + len(LONGEST_SOCKET) >= SOCKET_PATH_LIMIT_BYTES:
                break
            if _made(path):
                path.chmod(0o700 if group is None else 0o710)
                if group is not None:
                    os.chown(path, -1, group)
                return path
    raise HomeError(
        "No short folder for sockets could be made. Set XDG_RUNTIME_DIR or TMPDIR to a writable folder "
        "with a path below 60 bytes."
    )
