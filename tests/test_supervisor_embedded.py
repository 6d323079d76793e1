"""Real PostgreSQL and Redis in homes that make it hard."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from workers.embedded.binaries import _copied_for, _runs, database_account
from workers.embedded.environment import find_external
from workers.embedded.errors import AlreadyRunning, HomeError
from workers.embedded.home import Home, default_home
from workers.embedded.ports import choose_port
from workers.embedded.rundir import LONGEST_SOCKET, make_run_dir
from workers.embedded.secrets import ensure_secrets
from workers.embedded.stack import Services
from workers.embedded.walls import holes
from workers.supervisor.front import python_path

BARE = {"PATH": os.environ["PATH"]}
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL", "DATABASE_FINANCE_URL")


@pytest.fixture(scope="module")
def closed_home() -> Iterator[Path]:
    """A home that only its owner can reach, with a space and Hangul in its path."""
    folder = Path(tempfile.mkdtemp())  # mode 0700
    yield folder / "음성 home"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running(closed_home: Path) -> Iterator[dict[str, str]]:
    with Services(closed_home, fast=True, environ=BARE) as env:
        yield env


def test_every_role_can_log_in_and_none_could_pass_a_wall(running: dict[str, str]) -> None:
    found = {name: holes(running[name], may_own=name == "DATABASE_OWNER_URL") for name in URLS}
    assert found == {
        "DATABASE_URL": ("parlance_app", []),
        "DATABASE_OWNER_URL": ("parlance_owner", []),
        "DATABASE_SYSTEM_URL": ("parlance_system", []),
        "DATABASE_FINANCE_URL": ("parlance_finance", []),
    }


def test_a_hole_in_the_wall_is_seen(running: dict[str, str]) -> None:
    with psycopg.connect(running["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE made_by_owner ()")
        connection.commit()
    assert holes(running["DATABASE_OWNER_URL"], may_own=False)[1][0].startswith("owns ")


def test_only_the_owner_may_create(running: dict[str, str]) -> None:
    with psycopg.connect(running["DATABASE_OWNER_URL"]) as owner:
        owner.execute("CREATE SCHEMA tenant_one")
        owner.execute("CREATE TABLE public.kept ()")
    with psycopg.connect(running["DATABASE_URL"]) as app:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE public.mine ()")
        app.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("SELECT * FROM public.kept")


def test_the_app_role_reaches_no_other_database(running: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(running["DATABASE_URL"].replace("/parlance?", "/postgres?"))


def test_passwords_are_asked_for(running: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running["DATABASE_URL"], password="wrong")


def test_redis_keeps_what_it_is_told(running: dict[str, str]) -> None:
    client = redis.Redis.from_url(running["REDIS_URL"])
    assert client.config_get("appendonly")["appendonly"] == "yes"
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    client.close()


def test_nothing_outside_the_home_was_opened_and_secrets_are_closed(running: dict[str, str], closed_home: Path) -> None:
    assert closed_home.parent.stat().st_mode & 0o777 == 0o700
    assert closed_home.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (closed_home / "secrets").iterdir()} == {0o600}
    pepper = Path(running["PARLANCE_KEY_PEPPER_FILE"]).read_text("ascii")
    assert pepper.startswith("1:")
    assert len(pepper) == 46


def test_a_second_start_in_the_same_home_is_refused(
    running: dict[str, str], closed_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedded.home.AFTERMATH_S", 0.1)
    with pytest.raises(AlreadyRunning, match="already running"):
        Services(closed_home, fast=True, environ=BARE).open()


def test_killed_servers_come_back_and_data_survives(tmp_path: Path) -> None:
    services = Services(tmp_path / "home", fast=True, environ=BARE).open()
    with psycopg.connect(services.env["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    client = redis.Redis.from_url(services.env["REDIS_URL"])
    client.set("kept", "42")
    before = dict(services.pids)
    assert before["postgres"] != before["redis"]
    os.kill(before["postgres"], signal.SIGKILL)
    os.kill(before["redis"], signal.SIGKILL)
    while {services.pids[name] for name in ("postgres", "redis")} & set(before.values()):
        services.refresh_pids(timeout_s=0.2)
    with psycopg.connect(services.env["DATABASE_OWNER_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    services.close()
    assert not Path(client.connection_pool.connection_kwargs["path"]).parent.exists()
    with Services(tmp_path / "home", fast=True, environ=BARE) as env:
        with psycopg.connect(env["DATABASE_OWNER_URL"]) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert client.get("kept") == b"42"
    client.close()


ONE_START = """
import sys, pathlib, psycopg
from workers.embedded.stack import Services
with Services(pathlib.Path(sys.argv[1]), fast=True) as env:
    print(psycopg.connect(env["DATABASE_URL"]).execute("show timezone").fetchone())
"""


def python_for(user: str) -> tuple[str, str]:
    """Return an interpreter that the user can run, and the folder of its packages."""
    site = str(Path(psycopg.__file__).parents[1])
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    for program in (sys.executable, system):
        try:
            done = subprocess.run([program, "-P", "-c", "import psycopg"], user=user, cwd="/", env={"PYTHONPATH": site})
        except (PermissionError, FileNotFoundError):
            continue
        if done.returncode == 0:
            return program, site
    return pytest.skip("no Python and packages here that another user can run")


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_it_starts_with_an_odd_locale_and_as_an_ordinary_user(user: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    program, site = python_for(user)
    env = {**BARE, "PYTHONPATH": os.pathsep.join([python_path(), site]), "TZ": "Asia/Seoul"}
    env |= {"root": {"LANG": "C", "LC_ALL": "C"}, "nobody": {"LANG": "ko_KR.UTF-8", "LC_ALL": "ko_KR.UTF-8"}}[user]
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, user)
        home = Path(folder) / "음성 home"
        done = subprocess.run(
            [program, "-P", "-c", ONE_START, str(home)],
            env=env,
            user=user,
            group={"root": "root", "nobody": "nogroup"}[user],
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert b"('UTC',)" in done.stdout


def test_a_missing_secret_is_not_replaced_once_there_is_data(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    ensure_secrets(home)
    home.pgdata.mkdir()
    (home.secrets / "master_key").unlink()
    with pytest.raises(HomeError, match="lacks master_key"):
        ensure_secrets(home)


def test_an_incomplete_set_of_database_urls_names_the_missing_ones() -> None:
    with pytest.raises(HomeError, match="DATABASE_OWNER_URL and DATABASE_SYSTEM_URL is not"):
        find_external({"DATABASE_URL": "postgresql://x"})


def test_real_services_are_used_when_all_are_set(tmp_path: Path) -> None:
    mine = {**dict.fromkeys(URLS, "postgresql://db/x"), "REDIS_URL": "redis://r/0", **BARE}
    with Services(tmp_path / "home", fast=True, environ=mine) as env:
        assert env["DATABASE_SYSTEM_URL"] == "postgresql://db/x"
        assert env["REDIS_URL"] == "redis://r/0"
    assert not (tmp_path / "home" / "pgdata").exists()


def test_sockets_stay_short_below_a_long_home(tmp_path: Path) -> None:
    run_dir = make_run_dir(tmp_path / ("긴" * 80), environ={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert len(os.fsencode(run_dir)) + len(LONGEST_SOCKET) < 100
    run_dir.rmdir()


def test_a_run_folder_that_somebody_else_put_there_is_not_used(tmp_path: Path) -> None:
    first = make_run_dir(tmp_path / "home", environ={})
    first.rmdir()
    first.symlink_to(tmp_path)
    second = make_run_dir(tmp_path / "home", environ={})
    first.unlink()
    assert second != first
    assert second.stat().st_mode & 0o777 == 0o700
    second.rmdir()


def test_two_starts_at_once_cannot_choose_the_same_port() -> None:
    one = choose_port(18700, explicit=False)
    two = choose_port(one.number, explicit=False)
    assert (two.instead_of, two.number != one.number) == (one.number, True)
    for port in (one, two):
        assert port.reservation is not None
        port.reservation.close()


def test_the_default_home_follows_the_user_s_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_home({"PARLANCE_HOME": "/x"}) == Path("/x")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_home({"XDG_DATA_HOME": "/data"}) == Path("/data/parlance")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home({}) == Path("/var/lib/parlance")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_programs_below_a_closed_folder_are_copied_to_where_the_database_s_user_can_run_them() -> None:
    account = database_account(Path("/nowhere"))
    assert account is not None
    site = Path(psycopg.__file__).parents[1]
    folder = Path(tempfile.mkdtemp())
    before = os.umask(0o077)
    try:
        with pytest.raises(HomeError, match="PARLANCE_RUNTIME_DIR"):
            _copied_for(account, site=site, runtime=folder / "runtime")  # below a folder of mode 0700
        folder.chmod(0o755)
        programs = _copied_for(account, site=site, runtime=folder / "runtime")
        assert programs.is_relative_to(folder)
        assert _runs(programs / "initdb", account=account)
    finally:
        os.umask(before)
        shutil.rmtree(folder)
