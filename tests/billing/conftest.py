"""Tenants, jobs and threads for the tests of `billing`. Every query here runs as the role behind the walls.

The product is imported inside the fixtures: this file may be read before Django is set up.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from stack import START_S, free_port

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Job:
    """What `billing` knows of a job."""

    id: UUID
    owner: Any
    created_at: datetime

    def hold(
        self, *, expected: int | None = MINUTE_MS, engine: str = "simulated", livemode: bool = True,
        api_key_id: UUID | None = None,
    ) -> int:  # fmt: skip
        from billing.facade import place_hold

        return place_hold(
            self.id, tenant_id=self.owner.id, livemode=livemode, currency="USD", meter="audio_ms", engines=[engine],
            expected=expected, api_key_id=api_key_id,
        )  # fmt: skip

    def settle(self, *lines: Any, occurred_at: datetime | None = None, livemode: bool = True) -> Any:
        from billing.facade import settle

        return settle(
            self.id, tenant_id=self.owner.id, livemode=livemode, api_key_id=self.owner.caller.key_id,
            subject_created_at=self.created_at, lines=lines or (minutes_of(1),), occurred_at=occurred_at,
        )  # fmt: skip


def minutes_of(number: int, *, engine: str = "simulated", mode: str = "batch", channels: int = 1) -> Any:
    from billing.facade import AUDIO_MS, MeasuredLine

    return MeasuredLine(engine, "", mode, AUDIO_MS, number * MINUTE_MS, channels)


@pytest.fixture(scope="session")
def server(migrated: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The web process on this process's database; its address. What other tests' workers do is not seen here."""
    port, log = free_port(), tmp_path_factory.mktemp("web") / "log"
    command = [sys.executable, "-m", "workers.web"]
    with log.open("wb") as output:
        web = subprocess.Popen(command, env=os.environ | {"PARLANCE_PORT": str(port)}, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(f"{url}/livez", web)
        yield url
    finally:
        web.terminate()
        web.wait(timeout=30)


def _await_answer(url: str, web: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and web.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.05)
    raise AssertionError("the web process did not start")


@pytest.fixture
def line() -> Callable[..., Any]:
    """A measured line of whole minutes."""
    return minutes_of


@pytest.fixture
def job() -> Callable[..., Job]:
    """A new job of someone; nothing is held yet."""
    return lambda owner, created_at=None: Job(uuid4(), owner, created_at or datetime.now(UTC))


@pytest.fixture
def inside() -> Callable[[Any], Any]:
    """A transaction in which the database shows that tenant only."""

    @contextmanager
    def enter(someone: Any) -> Iterator[None]:
        from django.db import transaction

        from tenants.facade import tenant_context

        with tenant_context(someone.tenant), transaction.atomic():
            yield

    return enter


@pytest.fixture
def ended(alice: Any, inside: Callable[..., Any]) -> Iterator[Callable[..., UUID]]:
    """A job that the register says has ended; with `minutes` it was billed for them."""

    def make(state: str, *, minutes: int = 0, **columns: Any) -> UUID:
        made = Job(uuid4(), alice, datetime.now(UTC))
        if minutes:
            with inside(alice):
                made.hold(expected=minutes * 60_000)
                made.settle(minutes_of(minutes))
        values = {
            "id": made.id, "tenant_id": alice.id, "created_at": made.created_at, "livemode": True, "state": state,
            "kind": "transcription", "service_class": "batch", "deadline_at": made.created_at,
            "finished_at": made.created_at, **columns,
        }  # fmt: skip
        with connections["owner"].cursor() as cursor:
            places = ", ".join(["%s"] * len(values))
            cursor.execute(f"INSERT INTO job ({', '.join(values)}) VALUES ({places})", list(values.values()))
        made_ids.append(made.id)
        return made.id

    from django.db import connections

    made_ids: list[UUID] = []
    yield make
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM job WHERE id = ANY(%s)", [made_ids])


@pytest.fixture
def wallet_of() -> Callable[[Any], tuple[Decimal, Decimal]]:
    """Balance and held."""

    def read(someone: Any) -> tuple[Decimal, Decimal]:
        from billing.models import Wallet

        wallet = Wallet.objects.using("system").get(pk=someone.id)
        return wallet.balance, wallet.held

    return read


@pytest.fixture
def entries_of() -> Callable[[Job], list[Any]]:
    """A job's entries as the system sees them."""

    def read(of: Job) -> list[Any]:
        from billing.models import UsageEntry

        return list(UsageEntry.objects.using("system").filter(subject_id=of.id).order_by("kind", "sequence"))

    return read


@pytest.fixture
def in_threads() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Run functions at once, each on a connection of its own; results or errors in the same order."""

    def run(functions: Sequence[Callable[[], Any]]) -> list[Any]:
        start, results = threading.Barrier(len(functions)), [None] * len(functions)
        threads = [
            threading.Thread(target=_run_one, args=(function, start, results, place))
            for place, function in enumerate(functions)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
            assert not thread.is_alive()
        return results

    return run


def _run_one(function: Callable[[], Any], start: threading.Barrier, results: list[Any], place: int) -> None:
    from django.db import connections

    try:
        start.wait(timeout=30)
        results[place] = function()
    except Exception as error:
        results[place] = error
    finally:
        connections.close_all()


@pytest.fixture
def unused_month() -> date:
    """The first of several past months in which nothing counts yet: closing cannot be undone."""
    from django.db import connections

    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(period) FROM billing_period), (SELECT min(origin_period) FROM usage_entry),"
            " date '1990-01-01')"
        )
        earliest = cursor.fetchone()[0]
    return earliest.replace(year=earliest.year - 3, month=1)


@pytest.fixture
def statements() -> Callable[[], Any]:
    """Collect the statements of the app role's connection; choosing the tenant is not counted."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        done: list[str] = []
        with CaptureQueriesContext(connection) as context:
            yield done
        done.extend(query["sql"] for query in context.captured_queries if "set_config" not in query["sql"])

    return collect


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs it; the answer, or the error's text. Django is set up here already."""
    for module in ("billing", "billing_money", "billing_wallets"):
        monkeypatch.setattr(f"workers.cli.{module}.set_up", lambda _: None)
    from typer.testing import CliRunner

    from workers.cli.billing import app

    def run(*arguments: object, many: bool = False) -> Any:
        done = CliRunner().invoke(app, [*map(str, arguments), "--json"], env={"COLUMNS": "300"})
        assert done.exit_code in (0, 2), done.output
        if done.exit_code:
            return done.output
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines if many else lines[0]

    return run
