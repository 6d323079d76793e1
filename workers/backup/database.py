"""Dumping and loading the database with PostgreSQL's own programs, as a role that sees every row."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from workers.embedded.binaries import postgres_bin
from workers.embedded.environment import find_external
from workers.embedded.errors import HomeError
from workers.embedded.home import Home, is_alive
from workers.embedded.postgres import DATABASE, PORT, SUPERUSER
from workers.embedded.secrets import read_secret
from workers.embedded.stack import Services

BACKUP_URL = "PARLANCE_BACKUP_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the database with every right, and the programs that fit its version."""

    url: str
    programs: Path | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the database; a HomeError carries the end of what it said."""
        path = str(self.programs / program) if self.programs else shutil.which(program)
        if path is None:
            raise HomeError(f"`{program}` is not installed here. Install PostgreSQL's client programs of your version.")
        command = [path, f"--dbname={_without_password(self.url)}", *arguments]
        done = subprocess.run(command, env=_environment(self.url), capture_output=True, text=True, check=False)
        if done.returncode:
            raise HomeError(f"{program} failed: {done.stderr.strip()[-2000:]}")


def _without_password(url: str) -> str:
    """Other users of the machine see a command's arguments."""
    parts = urlsplit(url)
    return parts._replace(netloc=_netloc(parts.netloc)).geturl()


def _netloc(netloc: str) -> str:
    """Return it without the password.

    >>> _netloc("postgres:secret@db.example:5432"), _netloc("postgres@")
    ('postgres@db.example:5432', 'postgres@')
    """
    user, at, host = netloc.rpartition("@")
    return f"{user.partition(':')[0]}{at}{host}"


def _environment(url: str) -> dict[str, str]:
    password = urlsplit(url).password
    return {**os.environ, **({"PGPASSWORD": password} if password else {})}


@contextmanager
def reached(home: Home, *, environ: Mapping[str, str]) -> Iterator[Access]:
    """The database of a home: the user's own, the one that runs, or the embedded one, started for as long as needed."""
    if find_external(environ).database:
        if not environ.get(BACKUP_URL):
            raise HomeError(
                f"Set {BACKUP_URL} to a role that may read and write every row of your PostgreSQL (a superuser, or "
                "BYPASSRLS with the rights of parlance_owner): the platform's own roles are walled in."
            )
        yield Access(environ[BACKUP_URL], None)
    elif is_alive(home.state()):
        yield _embedded(home, url=home.state()["env"]["DATABASE_OWNER_URL"])
    else:
        with Services(home.path, fast=False, environ=dict(environ)) as env:
            yield _embedded(home, url=env["DATABASE_OWNER_URL"])


def _embedded(home: Home, *, url: str) -> Access:
    sockets = quote(parse_qs(urlsplit(url).query)["host"][0], safe="")
    password = quote(read_secret(home, name="postgres.pass"), safe="")
    # As whoever we are: a client reads nothing of the server's folder.
    return Access(f"postgresql://{SUPERUSER}:{password}@/{DATABASE}?host={sockets}&port={PORT}", postgres_bin(None))
