"""Keys and passwords of one home: made once, kept in files that only their owner can read."""

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from workers.embedded.errors import HomeError
from workers.embedded.home import Home

DATABASE_ROLES = ("owner", "app", "system", "finance")


def _word() -> str:
    return secrets.token_urlsafe(32)


def _versioned_key() -> str:
    return f"1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


MAKERS: dict[str, Callable[[], str]] = {
    "secret_key": _word,
    "key_pepper": _versioned_key,
    "master_key": _versioned_key,
    "postgres.pass": _word,
    **{f"{role}.pass": _word for role in DATABASE_ROLES},
}


def write_once(path: Path, *, content: str) -> None:
    """Write a file of mode 0600 unless it exists; nobody ever sees half of it, also after a power cut."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def ensure_secrets(home: Home) -> None:
    """Make the missing secrets of an empty home; with data already there a missing one is an error."""
    missing = [name for name in MAKERS if not (home.secrets / name).exists()]
    if missing and home.holds_data():
        raise HomeError(
            f"{home.secrets} lacks {', '.join(missing)}, without which the data in {home.path} cannot be read. "
            "Restore the file from a backup, or delete everything with `parlance reset`."
        )
    for name in missing:
        write_once(home.secrets / name, content=MAKERS[name]())


def read_secret(home: Home, *, name: str) -> str:
    """Return one secret of the home."""
    return (home.secrets / name).read_text("ascii").strip()
