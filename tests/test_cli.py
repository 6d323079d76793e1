"""The `parlance` command with a real database and a stand-in for the application's own processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.supervisor import processes
from workers.supervisor.front import python_path

# The application's processes are replaced by one that answers /readyz; everything around them is real.
FAKE_CLI = """
import sys
from types import SimpleNamespace
from workers.cli import detached, main, up
from workers.supervisor import front
from workers.supervisor.plan import Probe, Service

WEB = '''
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *args):
        pass
print("secret-free log line", flush=True)
if os.environ.get("FAKE_WEB") == "broken":
    sys.exit("web has no templates")
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PARLANCE_PORT"])), Handler).serve_forever()
'''

def application(home, *, env):
    probe = Probe("http", env["PARLANCE_PUBLIC_URL"] + "/readyz")
    argv = (sys.executable, "-ISc", WEB)
    return (Service("web", argv, env, str(home.path), probe, log=str(home.log("web"))),)

up.plan_application = application
again = lambda module, *arguments: (sys.executable, __file__, *arguments)
detached.front = SimpleNamespace(**{**vars(front), "python_command": again})
main()
"""


class Cli:
    """Runs `parlance` in a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "fake_cli.py"
        self.script.write_text(textwrap.dedent(FAKE_CLI), encoding="utf-8")
        self.home = folder / "집 home"
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": python_path(),
            "PARLANCE_HOME": str(self.home),
            "PARLANCE_PG_FAST": "1",
        }

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, self.script, *arguments],
            env=self.env | env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.script, "up", *arguments],
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def facts(self, *arguments: str) -> dict[str, Any]:
        found = json.loads(self.run(*arguments, "--json").stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    cli = Cli(tmp_path_factory.mktemp("cli"))
    yield cli
    cli.run("down", "--now")


@pytest.fixture
def detached(cli: Cli) -> str:
    """Return the URL of a running instance; only the first test that asks pays for its start."""
    found = cli.facts("status")
    if not found["ready"]:
        done = cli.run("up", "--detach")
        assert done.returncode == 0, done.stderr
        found = cli.facts("status")
    return str(found["url"])


def test_a_detached_start_returns_when_ready_and_status_tells_who_runs(cli: Cli, detached: str) -> None:
    found = cli.facts("status")
    assert found["ready"] is True
    assert set(found["services"]) >= {"postgres", "redis", "web"}
    assert found["versions"]["postgres"] == "postgres (PostgreSQL) 18.4"
    assert cli.run("status").returncode == 0
    state_file = cli.home / "state.json"
    assert state_file.stat().st_mode & 0o777 == 0o600


def test_a_second_up_in_the_same_home_names_the_first(cli: Cli, detached: str) -> None:
    done = cli.run("up", "--no-demo")
    assert done.returncode == 4
    assert f"pid {cli.facts('status')['pid']}, {detached}" in done.stderr


def test_doctor_checks_the_walls_of_the_running_database(cli: Cli, detached: str) -> None:
    done = cli.run("doctor", "--json")
    checks = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
    assert {name: checks[name]["level"] for name in ("role app", "role system", "role finance", "port")} == {
        "role app": "ok",
        "role system": "ok",
        "role finance": "ok",
        "port": "ok",
    }
    assert done.returncode == 0


def test_doctor_fails_when_the_app_role_could_pass_the_wall(cli: Cli, detached: str) -> None:
    state = json.loads((cli.home / "state.json").read_text("utf-8"))
    owner = state["env"]["DATABASE_OWNER_URL"]
    mine = dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL"), owner)
    done = cli.run("doctor", **mine)
    assert done.returncode == 1
    assert "fail role app: parlance_owner: owns" in done.stdout


def test_a_killed_service_shows_in_the_status_as_restarted(cli: Cli, detached: str) -> None:
    before = cli.facts("status")["services"]["web"]
    os.kill(before["pid"], signal.SIGKILL)
    while (now := cli.facts("status"))["services"]["web"]["pid"] == before["pid"] or not now["ready"]:
        time.sleep(0.05)
    assert now["services"]["web"]["restarts"] == before["restarts"] + 1
    assert now["url"] == detached


def test_down_waits_until_all_is_gone_and_keeps_the_data(cli: Cli, detached: str) -> None:
    found = cli.facts("status")
    services = [each for each in found["services"].values() if each["state"] == "ready"]
    pids = {found["pid"], *(service["pid"] for service in services)}
    assert cli.facts("down")["was_running"] is True
    assert not pids & set(processes.parents())
    assert (cli.home / "pgdata" / "PG_VERSION").exists()
    assert cli.run("status").returncode == 3
    assert cli.facts("down")["was_running"] is False


def test_reset_asks_and_deletes_only_what_is_ours(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert cli.run("up", "--detach").returncode == 0
    (cli.home / "mine.txt").write_text("kept", encoding="utf-8")
    refused = cli.run("reset")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert cli.run("reset", "--yes").returncode == 0
    assert [entry.name for entry in cli.home.iterdir()] == ["mine.txt"]


def read_until(front: subprocess.Popen[str], *, event: str) -> dict[str, Any]:
    assert front.stdout is not None
    for line in front.stdout:
        found = json.loads(line)
        if found["event"] == event:
            return dict(found)
    raise AssertionError(f"no {event}: {front.stderr.read() if front.stderr else ''}")


def test_a_taken_default_port_is_named_and_another_chosen_while_a_demo_that_fails_harms_nothing(
    tmp_path: Path,
) -> None:
    cli = Cli(tmp_path)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8700))
            taken.listen()
        except OSError:
            pass  # somebody else has taken it, which serves as well
        front = cli.start("--json")
        port = read_until(front, event="port")
        assert port["taken"] == 8700
        assert read_until(front, event="up")["url"] == f"http://127.0.0.1:{port['port']}"
    stopped = cli.facts("status")
    assert stopped["running"] is True
    front.send_signal(signal.SIGINT)
    _, errors = front.communicate()
    assert front.returncode == 0, errors


def test_a_taken_port_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = str(taken.getsockname()[1])
        for done in (cli.run("up", "--port", number), cli.run("up", "--detach", PARLANCE_PORT=number)):
            assert done.returncode == 2
            assert f"Port {number} is taken" in done.stderr


def test_a_service_that_cannot_start_ends_up_with_its_log(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    done = cli.run("up", "--detach", FAKE_WEB="broken")
    assert done.returncode == 1
    assert "web has no templates" in done.stderr
    assert not (tmp_path / "집 home" / "postmaster.pid").exists()


def test_the_demo_s_failure_is_shown_and_the_server_goes_on(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    front = cli.start()
    assert front.stdout is not None
    shown = []
    for line in front.stdout:
        shown.append(line)
        if line.startswith("Serving at"):
            break
    assert "The demo failed (see above); the server goes on.\n" in shown
    front.send_signal(signal.SIGINT)
    front.communicate()
    assert front.returncode == 0
    assert any(line.startswith("The demo stopped at: tenant. no demo tenant") for line in shown)


def test_a_command_that_needs_the_server_says_how_to_start_it(tmp_path: Path) -> None:
    done = Cli(tmp_path).run("tenant", "create", "x", "--json")
    assert done.returncode == 1
    assert "parlance up" in json.loads(done.stderr)["detail"]


def test_bad_options_are_usage_errors(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    for arguments in (["--audio", "nowhere.wav"], ["--audio", __file__, "--no-demo"], ["--port", "99999"]):
        assert cli.run("up", *arguments).returncode == 2


def test_importing_the_command_brings_neither_django_nor_torch_nor_a_driver() -> None:
    code = """
import sys
import workers.cli, workers.cli.up, workers.cli.detached, workers.cli.tracking, workers.supervisor.guardian
heavy = {"django", "torch", "numpy", "psycopg", "redis", "celery", "httpx", "boto3"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
