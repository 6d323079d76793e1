"""The whole development stack as data, and the two servers alone for tests and benchmarks."""

import importlib.util
import os
import selectors
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.embedded.binaries import database_account, postgres_bin
from workers.embedded.environment import find_external, home_environment
from workers.embedded.errors import HomeError
from workers.embedded.home import Home, HomeLock
from workers.embedded.postgres import Cluster, postgres_services
from workers.embedded.redis import redis_service
from workers.embedded.rundir import digest, make_run_dir
from workers.embedded.secrets import ensure_secrets
from workers.supervisor.front import PYTHON_LOCALE, GuardianLink, python_command, python_path
from workers.supervisor.plan import Plan, Probe, Service

DEFAULT_PORT = 8700


@dataclass(frozen=True, slots=True)
class Servers:
    """PostgreSQL and Redis as services, and the environment that leads to them."""

    services: tuple[Service, ...]
    env: dict[str, str]
    run_dir: Path


def _cluster(home: Home, *, run_dir: Path) -> Cluster:
    account = database_account(home.pgdata)
    sockets = run_dir / "pg"
    sockets.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(sockets, account.uid, account.gid)
    return Cluster(home, sockets=sockets, programs=postgres_bin(account), account=account)


def plan_servers(home: Home, *, fast: bool, port: int, environ: Mapping[str, str]) -> Servers:
    """Prepare a home and return the servers it needs; those that the user brings are left out."""
    external = find_external(environ)
    home.prepare()
    ensure_secrets(home)
    account = database_account(home.pgdata)
    run_dir = make_run_dir(home.path, environ=environ, group=account.gid if account else None)
    database = [] if external.database else postgres_services(_cluster(home, run_dir=run_dir), fast=fast)
    redis = [] if external.redis else [redis_service(home, socket=run_dir / "redis.sock")]
    env = home_environment(home, run_dir=run_dir, port=port, environ=environ)
    return Servers((*database, *redis), env=env, run_dir=run_dir)


def _python(name: str, *, home: Home, env: Mapping[str, str], probe: Probe, grace_s: float) -> Service:
    module = name.partition("-")[0]
    return Service(
        name=name,
        argv=python_command(f"workers.{module}"),
        env=env,
        cwd=str(home.path),
        probe=probe,
        log=str(home.log(name)),
        grace_s=grace_s,
        ready_limit_s=120 if probe.kind == "exit" else 60,
    )


def stray_tag(home: Path) -> str:
    """Return the environment entry by which processes of a home are found again after both supervisors died."""
    return f"PARLANCE_SUPERVISED={digest(home)}"


def child_environment(env: Mapping[str, str], *, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of our own Python processes: the user's, the home's, and UTF-8 everywhere."""
    name, _, value = stray_tag(Path(env["PARLANCE_HOME"])).partition("=")
    fixed = {"PYTHONPATH": python_path(), **PYTHON_LOCALE, "PYTHONUNBUFFERED": "1", name: value}
    return {**environ, **env, **fixed}


def plan_application(home: Home, *, env: Mapping[str, str]) -> tuple[Service, ...]:
    """Return migrations, web, workers and scheduler; PARLANCE_WORKERS says how many workers (1).

    Whisper pools too, where weights are: PARLANCE_POOLS of each model (1).
    """
    ready = Probe("ready_fd")
    count = _count(env, "PARLANCE_WORKERS")
    workers = ["worker"] if count == 1 else [f"worker-{number}" for number in range(1, count + 1)]
    readyz = Probe("http", f"{env['PARLANCE_PUBLIC_URL']}/readyz")
    watched = [
        ("web", readyz, 10.0),
        *((name, ready, 30.0) for name in workers),
        ("scheduler", ready, 5.0),
        *((name, ready, 120.0) for name in _pools(env)),
    ]
    return (
        _python("migrate", home=home, env=env, probe=Probe("exit"), grace_s=5),
        *(
            _python(name, home=home, env=_own(name, env, place=place), probe=probe, grace_s=grace_s)
            for place, (name, probe, grace_s) in enumerate(watched)
        ),
    )


def _count(env: Mapping[str, str], name: str) -> int:
    """How many processes of a kind; 1 unless set."""
    told = env.get(name) or "1"
    if not told.isdigit() or not 1 <= int(told) <= 64:
        raise HomeError(f"{name} must be a number from 1 to 64.")
    return int(told)


def _pools(env: Mapping[str, str]) -> list[str]:
    """A pool for each model, or PARLANCE_POOLS of them: `pool-tiny`, `pool-tiny.2`."""
    numbers = range(1, _count(env, "PARLANCE_POOLS") + 1)
    names = [f"pool-{model}" for model in _whisper_models(env)]
    return [name if number == 1 else f"{name}.{number}" for name in names for number in numbers]


def _whisper_models(env: Mapping[str, str]) -> tuple[str, ...]:
    """The models whose weights are here; without torch there is no pool, and `doctor` says so."""
    if importlib.util.find_spec("whisper") is None:
        return ()
    from speech.engines.whisper_models import path_of, present

    folder = Path(env.get("PARLANCE_WHISPER_DIR") or "models")
    named = [name.strip() for name in env.get("PARLANCE_WHISPER_MODELS", "").split(",") if name.strip()]
    return tuple(name for name in named if path_of(folder, name).is_file()) if named else present(folder)


def _own(name: str, env: Mapping[str, str], *, place: int) -> Mapping[str, str]:
    """What one process is told beside the others' environment."""
    told = _with_metrics(env, place=place)
    kind, _, model = name.partition("-")
    return {**told, "PARLANCE_POOL_MODEL": model.partition(".")[0]} if kind == "pool" else told


def _with_metrics(env: Mapping[str, str], *, place: int) -> Mapping[str, str]:
    """On one machine each process answers `/metrics` on a port of its own: the one that was set, and those after it."""
    first = env.get("PARLANCE_METRICS_PORT", "")
    return {**env, "PARLANCE_METRICS_PORT": str(int(first) + place)} if first.isdigit() and int(first) else env


class Services:
    """`with Services(home, fast=True) as env:` runs only PostgreSQL and Redis; `env` leads to them."""

    def __init__(self, home: Path, *, fast: bool, environ: Mapping[str, str] | None = None) -> None:
        """Nothing is started yet; `environ` replaces the process' environment, to set real services apart."""
        self.home = Home(home.absolute())
        self._fast = fast
        self._environ = dict(os.environ if environ is None else environ)
        self.pids: dict[str, int] = {}

    def __enter__(self) -> dict[str, str]:
        """Start the servers; a HomeError says why one cannot start."""
        self.home.prepare()
        self._lock = HomeLock.take(self.home)
        try:
            self._servers = plan_servers(self.home, fast=self._fast, port=DEFAULT_PORT, environ=self._environ)
            self._link = GuardianLink(
                Plan(self._servers.services), keep_fds=[self._lock.fd], log=self.home.log("supervisor")
            )
        except BaseException:
            self._lock.release()
            raise
        try:
            self._await_up()
        except BaseException:
            self._finish()
            raise
        return self._servers.env

    def _await_up(self) -> None:
        for event in self._link.events():
            if event.kind == "ready":
                self.pids[event.name] = event.pid
            if event.kind == "up":
                return
            if event.kind in ("failed", "lost"):
                raise HomeError(f"{event.name} {event.detail}. Its log ends:\n{event.tail}")

    def refresh_pids(self, *, timeout_s: float = 0.0) -> dict[str, int]:
        """Return the servers' process numbers, also after a restart; waits that long for news."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._link.fileno(), selectors.EVENT_READ)
            while selector.select(timeout=timeout_s):
                ready = [event for event in self._link.read() if event.kind == "ready"]
                self.pids |= {event.name: event.pid for event in ready}
        return self.pids

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both in order; their data stays."""
        self._link.send("stop")
        for _ in self._link.events():
            pass
        self._finish()

    def _finish(self) -> None:
        self._link.close()
        shutil.rmtree(self._servers.run_dir, ignore_errors=True)
        self._lock.release()

    def open(self) -> Self:
        """Start without a with block; `close` ends it."""
        self.env = self.__enter__()
        return self

    def close(self) -> None:
        """Stop what `open` started."""
        self.__exit__(None, None, None)
