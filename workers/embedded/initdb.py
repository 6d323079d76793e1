"""The step that makes a database folder: `python -m workers.embedded.initdb`, told by the environment where."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from workers.embedded.binaries import MINIMAL_ENV, Account, database_account
from workers.embedded.home import Home
from workers.embedded.postgres import SUPERUSER, as_database_user
from workers.embedded.secrets import read_secret

# The builtin provider sorts alike on every machine, whatever locales it has.
LOCALE = ("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


def _password_file(home: Home, *, sockets: Path, account: Account | None) -> Path:
    """Copy the password to where initdb, running as another user, can read it; the caller deletes it."""
    path = sockets / f"initdb-{secrets.token_hex(4)}"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as out:
        out.write(read_secret(home, name="postgres.pass") + "\n")
    if account is not None:
        os.chown(path, account.uid, account.gid)
    return path


def _empty_folder(path: Path, *, account: Account | None) -> None:
    if path.exists():
        shutil.rmtree(path)  # left by a start that was cut off
    path.mkdir(mode=0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def make_database(home: Home, *, sockets: Path, programs: Path) -> int:
    """Make the folder beside its final place and rename it when whole; returns initdb's exit code."""
    account = database_account(home.pgdata)
    fresh = home.path / "pgdata.new"
    _empty_folder(fresh, account=account)
    password = _password_file(home, sockets=sockets, account=account)
    login = ["-U", SUPERUSER, "--pwfile", str(password), "--auth=scram-sha-256"]
    argv = as_database_user(
        lambda folder: [str(programs / "initdb"), "-D", folder, *login, *LOCALE],
        folder=fresh,
        account=account,
        death_signal=signal.SIGKILL,
    )
    try:
        code = subprocess.run(argv, env=MINIMAL_ENV, cwd="/", check=False).returncode
    finally:
        password.unlink()
    if code == 0:
        fresh.rename(home.pgdata)
    return code


def main() -> None:
    """Make the database of the home named by the environment."""
    home = Home(Path(os.environ["PARLANCE_HOME"]))
    sockets, programs = Path(os.environ["PARLANCE_PG_SOCKETS"]), Path(os.environ["PARLANCE_PG_PROGRAMS"])
    sys.exit(make_database(home, sockets=sockets, programs=programs))


if __name__ == "__main__":
    main()
