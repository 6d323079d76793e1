"""What doctor looks at; each check answers with one line and what to do."""

import locale
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workers.cli.running import is_green
from workers.embedded.binaries import MINIMAL_ENV, database_account, postgres_bin, redis_server
from workers.embedded.environment import DATABASE_URLS, find_external
from workers.embedded.errors import HomeError, PortTaken
from workers.embedded.home import Home, is_alive
from workers.embedded.ports import choose_port
from workers.embedded.stack import DEFAULT_PORT

Level = Literal["ok", "warn", "fail"]
PYTHONS = ((3, 11), (3, 12))
LITTLE_DISK_BYTES = 2_000_000_000
TOO_LITTLE_DISK_BYTES = 300_000_000  # the database's folder and its first write-ahead segments


@dataclass(frozen=True, slots=True)
class Check:
    """One answer; `todo` is empty when all is well."""

    name: str
    level: Level
    found: str
    todo: str = ""


def check_python() -> Check:
    """Look at the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in PYTHONS:
        return Check("python", "ok", found)
    return Check("python", "fail", found, "Install Python 3.11 or 3.12, delete .venv and run `make setup`.")


def check_make() -> Check:
    """Look for make."""
    if found := shutil.which("make"):
        return Check("make", "ok", found)
    return Check("make", "warn", "not found", "Install it: `apt-get install make`.")


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def check_disk(home: Home) -> Check:
    """Look at the space where the home is or will be."""
    free_bytes = shutil.disk_usage(_existing(home.path)).free
    found = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes >= LITTLE_DISK_BYTES:
        return Check("disk", "ok", found)
    level: Level = "warn" if free_bytes >= TOO_LITTLE_DISK_BYTES else "fail"
    return Check("disk", level, found, "Free some space, or choose another --home; 2 GB is comfortable.")


def check_home(home: Home) -> Check:
    """Look at the rights on the home."""
    if not home.path.exists():
        parent = _existing(home.path)
        if os.access(parent, os.W_OK | os.X_OK):
            return Check("home", "ok", f"{home.path} (not made yet)")
        return Check("home", "fail", f"{parent} is not writable", "Choose another --home or PARLANCE_HOME.")
    mode = stat.S_IMODE(home.path.stat().st_mode)
    if not os.access(home.path, os.R_OK | os.W_OK | os.X_OK):
        return Check("home", "fail", f"{home.path} is not yours", "Choose another --home or PARLANCE_HOME.")
    if mode & 0o077:
        return Check("home", "warn", f"{home.path} has mode {mode:o}", "Close it to others with `chmod 700`.")
    return Check("home", "ok", str(home.path))


def check_port(home: Home) -> Check:
    """Look whether the port is free, or ours."""
    state = home.state()
    if is_alive(state):
        level: Level = "ok" if is_green(state["url"]) else "fail"
        todo = "" if level == "ok" else f"Read the logs in {home.logs}."
        return Check("port", level, f"{state['url']} is {'ready' if level == 'ok' else 'not ready'}", todo)
    try:
        port = choose_port(DEFAULT_PORT, explicit=True)
    except PortTaken:
        return Check("port", "warn", f"{DEFAULT_PORT} is taken", "Nothing to do: `up` chooses the next free one.")
    if port.reservation:
        port.reservation.close()
    return Check("port", "ok", f"{DEFAULT_PORT} is free")


def check_locale() -> Check:
    """Look at the terminal's encoding."""
    found = locale.getpreferredencoding(do_setlocale=False)
    if found.lower().replace("-", "") == "utf8":
        return Check("locale", "ok", found)
    return Check("locale", "warn", found, "Set LANG=C.UTF-8, so that Hangul is shown as written.")


def _version(program: Path, *, home: Home) -> str:
    account = database_account(home.pgdata) if program.name == "postgres" else None
    drop = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    done = subprocess.run(
        [program, "--version"],
        env=MINIMAL_ENV,
        cwd="/",
        capture_output=True,
        check=True,
        **drop,  # type: ignore[call-overload]  # subprocess' own three names
    )
    return str(done.stdout.decode("ascii", "replace")).strip()


def versions(home: Home) -> dict[str, str]:
    """Return the embedded servers' versions; raises what keeps a program from running."""
    postgres = postgres_bin(database_account(home.pgdata)) / "postgres"
    return {"postgres": _version(postgres, home=home), "redis": _version(redis_server(), home=home)}


def check_binaries(home: Home) -> Check:
    """Run the servers' programs."""
    try:
        return Check("binaries", "ok", " · ".join(versions(home).values()))
    except HomeError as error:
        return Check("binaries", "fail", "cannot be used", str(error))
    except (OSError, subprocess.CalledProcessError) as error:
        todo = "Parlance carries Linux glibc x86-64 programs; elsewhere set DATABASE_URL and REDIS_URL."
        return Check("binaries", "fail", f"do not run ({type(error).__name__})", todo)


def check_external(environ: Mapping[str, str]) -> Check:
    """Look whether the user's own services are set completely."""
    try:
        external = find_external(environ)
    except HomeError as error:
        return Check("services", "fail", "database URLs are incomplete", str(error))
    whose = {True: "yours", False: "embedded"}
    return Check("services", "ok", f"PostgreSQL {whose[external.database]}, Redis {whose[external.redis]}")


def check_mail(environ: Mapping[str, str]) -> Check:
    """Look whether alerts can be sent by e-mail."""
    names = ("PARLANCE_EMAIL_URL", "PARLANCE_EMAIL_URL_FILE")
    if not any(environ.get(name) for name in names):
        return Check("e-mail", "ok", "not set: nobody is told by e-mail when a webhook endpoint fails")
    if environ.get("PARLANCE_EMAIL_FROM"):
        return Check("e-mail", "ok", f"sent from {environ['PARLANCE_EMAIL_FROM']}")
    return Check("e-mail", "fail", "no sender", "Set PARLANCE_EMAIL_FROM, the address that alerts come from.")


def check_role(url: str, *, kind: str) -> Check:
    """Ask the database whether a role could pass a wall."""
    import psycopg  # only doctor needs it, and only when a database runs

    from workers.embedded.walls import holes

    try:
        role, found = holes(url, may_own=kind == "owner")
    except psycopg.OperationalError:
        return Check(f"role {kind}", "fail", "cannot log in", "Check the URL and that PostgreSQL runs.")
    if not found:
        owns = "" if kind == "owner" else ", owns nothing"
        return Check(f"role {kind}", "ok", f"{role}: NOSUPERUSER, NOBYPASSRLS{owns}")
    todo = f"Take this from {role}: tenants are separated by row-level security, which it could pass."
    return Check(f"role {kind}", "fail", f"{role}: {', '.join(found)}", todo)


def check_roles(home: Home, *, environ: Mapping[str, str]) -> list[Check]:
    """Check every role of the database that is set or runs; nothing when none does."""
    state = home.state()
    env = environ if environ.get("DATABASE_URL") else (state.get("env", {}) if is_alive(state) else {})
    return [check_role(env[name], kind=kind) for name, kind in DATABASE_URLS.items() if env.get(name)]


def run_checks(home: Home, *, environ: Mapping[str, str]) -> list[Check]:
    """Run all checks in the order of their printing."""
    single: list[Callable[[], Check]] = [
        check_python,
        check_make,
        lambda: check_disk(home),
        lambda: check_home(home),
        lambda: check_port(home),
        check_locale,
        lambda: check_binaries(home),
        lambda: check_external(environ),
        lambda: check_mail(environ),
    ]
    return [*(check() for check in single), *check_roles(home, environ=environ)]
