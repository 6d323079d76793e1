"""`parlance backup`: the database as of one moment, then the objects, in one file; the keys in another beside it.

Objects are read after the database, so that each one that a row names is there, unless it was erased meanwhile.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.backup.database import reached
from workers.embedded.errors import HomeError
from workers.embedded.home import Home, is_alive

FORMAT = 1
MANIFEST, DUMP, OBJECTS = "manifest.json", "database.dump", "objects"
KEYS_ENDING = ".keys"
TELL_EVERY = 1_000

Tell = Callable[[str], None]


def save(home: Home, target: Path, *, environ: Mapping[str, str], tell: Tell) -> dict[str, Any]:
    """Write `target` and `target.keys`; nothing is left of them when it fails. Returns the manifest."""
    if target.exists():
        raise HomeError(f"{target} exists already. Choose another name: a backup never replaces one.")
    if not home.holds_data() and not environ.get("DATABASE_URL"):
        raise HomeError(f"There is nothing to back up in {home.path}. Name the installation with --home.")
    fresh = target.with_name(f".{target.name}.part")
    try:
        manifest = _write(home, fresh, environ=environ, tell=tell)
        _write_keys(home, target.with_name(target.name + KEYS_ENDING))
        fresh.replace(target)
    except OSError as error:
        raise HomeError(
            f"The backup could not be written: {error.strerror}. Free space or choose another place."
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
    return manifest


def _write(home: Home, path: Path, *, environ: Mapping[str, str], tell: Tell) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".parlance-backup-") as folder:
        dump = Path(folder) / DUMP
        tell("Reading the database")
        taken_at = datetime.now(UTC)
        with reached(home, environ=environ) as database:
            database.run("pg_dump", "--format=custom", f"--file={dump}")
        objects = _objects_folder(home, environ)
        manifest = {
            "format": FORMAT, "taken_at": taken_at.isoformat(), "sha256": _digest(dump),
            "objects": "here" if objects else "in your bucket",
        }  # fmt: skip
        with _opened(path) as archive:
            _add_bytes(archive, MANIFEST, json.dumps(manifest).encode())
            archive.add(dump, DUMP)
            manifest["files"] = _add_objects(archive, objects, tell=tell) if objects else 0
    return manifest


def _objects_folder(home: Home, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of objects; None when they are in a bucket, which has its own versions and copies."""
    if environ.get("S3_BUCKET"):
        return None
    running = home.state().get("env", {}) if is_alive(home.state()) else {}
    return Path(running.get("PARLANCE_STORAGE_DIR") or environ.get("PARLANCE_STORAGE_DIR") or home.objects)


def _opened(path: Path) -> tarfile.TarFile:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return tarfile.open(fileobj=os.fdopen(fd, "wb"), mode="w|")  # the caller's with block


def _add_objects(archive: tarfile.TarFile, folder: Path, *, tell: Tell) -> int:
    count = 0
    for path in _files(folder):
        try:
            archive.add(path, f"{OBJECTS}/{path.relative_to(folder)}", recursive=False)
        except FileNotFoundError:
            continue  # erased since the folder was read
        count += 1
        if count % TELL_EVERY == 0:
            tell(f"{count} objects")
    return count


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _write_keys(home: Home, path: Path) -> None:
    """Without these nobody can read what is sealed, or log in with a key: they belong somewhere else."""
    with _opened(path) as archive:
        for secret in _files(home.secrets):
            archive.add(secret, secret.name, recursive=False)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
