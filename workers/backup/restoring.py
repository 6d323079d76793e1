"""`parlance restore`: an empty home becomes the installation of a backup, in quarantine."""

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from workers.backup.database import Access, reached
from workers.backup.saving import DUMP, FORMAT, KEYS_ENDING, MANIFEST, OBJECTS, Tell
from workers.embedded.errors import HomeError
from workers.embedded.home import Home, HomeLock

_QUARANTINE = "INSERT INTO public.quarantine (since, taken_at) VALUES (now(), %s) ON CONFLICT DO NOTHING"


def restore(home: Home, source: Path, *, environ: Mapping[str, str], tell: Tell) -> dict[str, Any]:
    """Fill an empty home; when it fails, it is empty again. Returns the manifest."""
    if home.holds_data() or (home.secrets.exists() and any(home.secrets.iterdir())):
        raise HomeError(f"{home.path} is in use already. Choose another --home, or `parlance reset` this one first.")
    home.prepare()
    HomeLock.take(home).release()  # says here when something runs in it
    try:
        home.half_restored.touch()
        with tempfile.TemporaryDirectory(dir=home.path, prefix="restore-") as folder:
            manifest = _restore(home, source, unpacked=Path(folder), environ=environ, tell=tell)
        home.half_restored.unlink()
    except BaseException:
        home.delete()
        raise
    return manifest


def _restore(home: Home, source: Path, *, unpacked: Path, environ: Mapping[str, str], tell: Tell) -> dict[str, Any]:
    tell("Unpacking")
    _unpack(source, unpacked)
    manifest = _checked(unpacked)
    _unpack_keys(source.with_name(source.name + KEYS_ENDING), home)
    _move_objects(unpacked / OBJECTS, Path(environ.get("PARLANCE_STORAGE_DIR") or home.objects))
    tell("Loading the database")
    with reached(home, environ=environ) as database:
        _load(database, unpacked / DUMP, taken_at=manifest["taken_at"])
    return manifest


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise HomeError(
            f"{source} cannot be read as a backup ({error}). Name a file that `parlance backup` wrote."
        ) from error


def _checked(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        with (folder / DUMP).open("rb") as dump:
            digest = hashlib.file_digest(dump, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise HomeError("The backup is cut short or not one of ours: its manifest or database is missing.") from error
    if manifest.get("format") != FORMAT:
        raise HomeError("The backup was written by another version. Restore it with that version, then upgrade.")
    if manifest.get("sha256") != digest:
        raise HomeError("The backup is damaged: its database is not the one that was written. Take an earlier one.")
    return manifest


def _unpack_keys(source: Path, home: Home) -> None:
    if not source.exists():
        raise HomeError(f"{source} is missing: without its keys nothing in the backup can be opened. Put it there.")
    _unpack(source, home.secrets)
    for path in home.secrets.iterdir():
        path.chmod(0o600)


def _move_objects(unpacked: Path, target: Path) -> None:
    for path in sorted(unpacked.rglob("*")) if unpacked.exists() else []:
        if path.is_file():
            place = target / path.relative_to(unpacked)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(place)


def _load(database: Access, dump: Path, *, taken_at: str) -> None:
    database.run("pg_restore", "--exit-on-error", str(dump))
    with psycopg.connect(database.url) as connection:
        connection.execute(_QUARANTINE, [taken_at])
