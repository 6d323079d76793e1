"""The drill: a running system is saved, lost, restored in quarantine, looked at, and resumed."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, bare_environment

from tests.api.calls import check_problem, order, transcribe, usage
from tests.api.media import tone
from workers.embedded.home import Home

HELD_S = 4.0  # what must not happen has so long a time for it
WORDS = "kept over the flood"


def run(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command on a home, whatever its exit code."""
    command = [sys.executable, "-m", "workers.cli", *arguments]
    env = bare_environment() | {"PARLANCE_HOME": str(home), "PARLANCE_PG_FAST": "1"} | environ
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


@dataclass
class Drill:
    """What was saved, and the stack made of it; `key` is of a tenant of the first."""

    folder: Path
    saved: Path
    restored: Stack
    key: str
    done: Any
    usage: Any
    manifest: Any

    def asked(self, query: str) -> Any:
        """The one value of a query to the restored database."""
        url = Home(self.restored.home).state()["env"]["DATABASE_SYSTEM_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else None

    def client(self) -> httpx.Client:
        return self.restored.client(self.key)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("drill")
    first, saved = Stack(folder / "first"), folder / "monday.backup"
    first.start()
    try:
        tenant = first.tenant("saved")
        done = transcribe(tenant.live, tone(), simulate=f"says:{WORDS}")
        order(tenant.live, tone(seed=2), simulate="slow:60000", delete_after_s="86400")  # under way at that moment
        transcribe(tenant.live, tone(seed=3), delete_after_s="86400")
        billed = usage(tenant.live)
        manifest = json.loads(first.parlance("backup", str(saved), "--json"))
    finally:
        first.stop()
    second = Stack(folder / "second")
    second.parlance("restore", str(saved))
    second.start()
    try:
        yield Drill(folder, saved, second, tenant.api_key, done, billed, manifest)
    finally:
        second.stop()


def test_a_backup_holds_everything_but_its_keys(drill: Drill) -> None:
    with tarfile.open(drill.saved) as archive:
        names = archive.getnames()
    assert names[:2] == ["manifest.json", "database.dump"]
    assert len(names) - 2 == drill.manifest["files"]
    assert not [name for name in names if "key" in name or "pass" in name]
    assert {path.name for path in drill.folder.glob("monday*")} == {"monday.backup", "monday.backup.keys"}
    assert {path.stat().st_mode & 0o777 for path in drill.folder.glob("monday*")} == {0o600}


# A worker that takes work says so every few seconds; a scheduler does what is due within one.
_AT_WORK = """SELECT count(*) FROM executor_host h, quarantine q
 WHERE h.alive_until - interval '30 seconds' > q.since"""
_MAKE_DUE = "UPDATE due_date SET due_at = now() - interval '1 hour' RETURNING (SELECT count(*) FROM due_date)"
_DUE = "SELECT count(*) FROM due_date WHERE due_at < now()"


def test_quarantine_reads_and_does_nothing_until_it_is_resumed(drill: Drill) -> None:
    client = drill.client()
    due = drill.asked(_MAKE_DUE)
    assert due >= 1
    assert client.get(f"/v1/transcriptions/{drill.done['id']}").json()["text"] == WORDS
    assert usage(client) == drill.usage
    check_problem(order(client, tone()), 503, "quarantined")
    check_problem(client.delete(f"/v1/transcriptions/{drill.done['id']}"), 503, "quarantined")
    waiting = client.get("/v1/transcriptions", params={"status": "running"}).json()["data"]
    assert [job["progress"]["percent"] for job in waiting] == [0]
    assert "quarantine" in drill.restored.parlance("status")
    until = time.monotonic() + HELD_S
    while time.monotonic() < until:
        assert (drill.asked(_AT_WORK), drill.asked(_DUE)) == (0, due)
    told = json.loads(drill.restored.parlance("resume", "--yes", "--json"))
    assert (told["was_quarantined"], told["jobs"]) == (True, 1)
    while (again := order(client, tone(seed=3), simulate="says:on it goes")).status_code == 503:
        pass
    assert client.get(f"/v1/transcriptions/{again.json()['id']}", headers={"Prefer": "wait=30"}).json()["text"]
    while drill.asked(_DUE):
        pass
    assert json.loads(drill.restored.parlance("resume", "--json"))["was_quarantined"] is False
    assert "quarantine" not in drill.restored.parlance("status")


def test_a_backup_replaces_none(drill: Drill) -> None:
    done = run(drill.folder / "second", "backup", str(drill.saved))
    assert (done.returncode, "exists already" in done.stderr) == (1, True)


def test_a_home_in_use_is_not_restored_to(drill: Drill) -> None:
    done = run(drill.folder / "second", "restore", str(drill.saved))
    assert (done.returncode, "in use already" in done.stderr) == (1, True)


@pytest.mark.parametrize("how", ["damaged", "cut", "no keys", "no backup", "another format"])
def test_what_cannot_be_restored_leaves_nothing(drill: Drill, tmp_path: Path, how: str) -> None:
    broken, home = tmp_path / "broken", tmp_path / "home"
    _break(drill.saved, broken, how=how)
    done = run(home, "restore", str(broken), "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]) == (1, "HomeError")
    assert not home.exists() or list(home.iterdir()) == []


def _break(saved: Path, broken: Path, *, how: str) -> None:
    data = saved.read_bytes()
    place = data.index(b"PGDMP") + 5_000
    changed = {
        "damaged": data[:place] + b"\0\1\2\3" + data[place + 4 :], "cut": data[: len(data) // 3], "no keys": data,
        "no backup": b"hello", "another format": data.replace(b'"format": 1', b'"format": 9', 1),
    }  # fmt: skip
    broken.write_bytes(changed[how])
    if how != "no keys":
        keys = saved.with_name(saved.name + ".keys").read_bytes()
        broken.with_name("broken.keys").write_bytes(keys)


def test_a_restore_that_was_killed_is_not_taken_for_a_system(tmp_path: Path) -> None:
    (tmp_path / "half-restored").touch()
    done = run(tmp_path, "up", "--detach", "--no-demo")
    assert (done.returncode, "cut off half-way" in done.stderr + done.stdout) == (1, True)


def test_a_database_of_ones_own_needs_a_role_that_sees_all(tmp_path: Path) -> None:
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL")
    own = dict.fromkeys(names, "postgresql://parlance_app@127.0.0.1:1/parlance")
    done = run(tmp_path / "home", "backup", str(tmp_path / "saved"), **own)
    assert (done.returncode, "PARLANCE_BACKUP_DATABASE_URL" in done.stderr) == (1, True)
    assert not list(tmp_path.iterdir())
