"""PostgreSQL as services: make the data folder once, run the server, set up its roles. Unix socket only."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workers.embedded import dropped
from workers.embedded.binaries import MINIMAL_ENV, Account
from workers.embedded.home import Home
from workers.supervisor.front import PYTHON_LOCALE, python_command, python_path
from workers.supervisor.plan import Probe, Service

PORT = 5432
DATABASE = "parlance"
SUPERUSER = "postgres"
RECOVERY_LIMIT_S = 120.0  # replaying the log after a power cut on a slow disk
OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # a backup locks every table of every tenant at once
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A commit still reaches the kernel, so tests may kill -9 the server; only a power cut would lose data.
FAST_OPTIONS = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One home's database server: its data, its socket folder, its programs and whom it runs as."""

    home: Home
    sockets: Path
    programs: Path
    account: Account | None

    @property
    def socket(self) -> Path:
        """Return the socket's path."""
        return self.sockets / f".s.PGSQL.{PORT}"


def as_database_user(
    command: Callable[[str], list[str]], *, folder: Path, account: Account | None, death_signal: int
) -> tuple[str, ...]:
    """Return the argv that runs a command on a folder; `command` gets the path under which it is reachable."""
    if account is None:
        return tuple(command(str(folder)))
    wrapper = [sys.executable, "-I", "-S", dropped.__file__]
    given = [str(account.uid), str(account.gid), str(folder), str(int(death_signal))]
    return (*wrapper, *given, *command(dropped.FOLDER))


def _server_argv(cluster: Cluster, *, fast: bool) -> tuple[str, ...]:
    options = {**OPTIONS, **(FAST_OPTIONS if fast else {})}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    program = str(cluster.programs / "postgres")
    return as_database_user(
        lambda folder: [program, "-D", folder, "-k", str(cluster.sockets), *flags],
        folder=cluster.home.pgdata,
        account=cluster.account,
        death_signal=signal.SIGINT,
    )


def _step(name: str, *, cluster: Cluster, module: str) -> Service:
    where = {"PARLANCE_HOME": str(cluster.home.path), "PARLANCE_PG_SOCKETS": str(cluster.sockets)}
    return Service(
        name=name,
        argv=python_command(module),
        env={
            **MINIMAL_ENV,
            **where,
            "PARLANCE_PG_PROGRAMS": str(cluster.programs),
            "PYTHONPATH": python_path(),
            **PYTHON_LOCALE,
        },
        cwd=str(cluster.home.path),
        probe=Probe("exit"),
        log=str(cluster.home.log("postgres")),
        ready_limit_s=RECOVERY_LIMIT_S,
    )


def postgres_services(cluster: Cluster, *, fast: bool) -> list[Service]:
    """Return the steps and the server, in starting order."""
    server = Service(
        name="postgres",
        argv=_server_argv(cluster, fast=fast),
        env=MINIMAL_ENV,
        cwd=str(cluster.home.path),
        probe=Probe("postgres", str(cluster.socket)),
        log=str(cluster.home.log("postgres")),
        grace_s=30,
        ready_limit_s=RECOVERY_LIMIT_S,
        stop_signal=signal.SIGINT,  # "fast shutdown": sessions are ended, everything is written
        death_signal=signal.SIGINT,
    )
    roles = _step("roles", cluster=cluster, module="workers.embedded.roles")
    if cluster.home.holds_data():
        return [server, roles]
    return [_step("initdb", cluster=cluster, module="workers.embedded.initdb"), server, roles]
