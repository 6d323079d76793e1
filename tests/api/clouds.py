"""A running stack that is set up with every provider of voices, each a strict fake on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import redis
from stack import Stack, Tenant

from apikit import ids
from tests.api.calls import ENDED, usage
from tests.fakes.azure import FakeAzure
from tests.fakes.openai import FakeOpenAi
from tests.fakes.polly import FakePolly
from tests.fakes.provider import FakeProvider
from workers.embedded.home import Home

HELLO = "안녕하세요, 만나서 반갑습니다."


@dataclass(frozen=True)
class Clouds:
    """A running stack and the providers that it calls."""

    stack: Stack
    tenant: Tenant
    polly: FakePolly
    openai: FakeOpenAi
    azure: FakeAzure

    def spoken(self, text: str | None, **fields: Any) -> Any:
        """A job at its end, without an engine named."""
        body = {"text": text, "format": "wav", "reuse": "never"} | fields
        made = self.tenant.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"})
        assert made.status_code == 202, made.text
        return ended(self, made.json()["id"])

    def audio(self, shown: Any) -> httpx.Response:
        """The file of a job that is done."""
        assert shown["status"] == "completed", shown["error"]
        return self.tenant.live.get(f"/v1/speech/{shown['id']}/audio")

    def calls(self) -> int:
        return sum(len(fake.asked) for fake in (self.polly, self.openai, self.azure))


@pytest.fixture(scope="module")
def running_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    folder = tmp_path_factory.mktemp("clouds")
    fakes: list[FakeProvider] = [FakePolly(), FakeOpenAi(), FakeAzure()]
    stack = Stack(folder / "home", environ=_environ(folder, *(fake.url for fake in fakes)))
    stack.start()
    yield Clouds(stack, stack.tenant("alice"), *fakes)  # type: ignore[arg-type]  # in this order
    stack.stop()
    for fake in fakes:
        fake.close()


def _environ(folder: Path, polly_url: str, openai_url: str, azure_url: str) -> dict[str, str]:
    """One secret in a file, the others in the environment."""
    folder.chmod(0o755)
    secret = folder / "openai-key"
    secret.write_text(f"{FakeOpenAi.KEY}\n")
    return {
        "PARLANCE_POLLY_REGION": FakePolly.REGION, "PARLANCE_POLLY_BASE_URL": polly_url,
        "AWS_ACCESS_KEY_ID": FakePolly.KEY, "AWS_SECRET_ACCESS_KEY": "secret-example",
        "PARLANCE_OPENAI_API_KEY_FILE": str(secret), "PARLANCE_OPENAI_BASE_URL": f"{openai_url}/v1",
        "PARLANCE_AZURE_SPEECH_KEY": FakeAzure.KEY, "PARLANCE_AZURE_SPEECH_REGION": "koreacentral",
        "PARLANCE_AZURE_SPEECH_BASE_URL": azure_url,
    }  # fmt: skip


@pytest.fixture
def clouds(running_clouds: Clouds) -> Clouds:
    """Each test begins with providers that were asked nothing and do nothing wrong, and with closed circuits."""
    for fake in (running_clouds.polly, running_clouds.openai, running_clouds.azure):
        fake.asked.clear()
        fake.faults.clear()
    close_circuits(running_clouds)
    return running_clouds


def close_circuits(clouds: Clouds) -> None:
    """All providers are well again, and the web process has seen it."""
    with redis.Redis.from_url(Home(clouds.stack.home).state()["env"]["REDIS_URL"]) as broker:
        broker.flushall()  # nothing is lost with it
    await_default(clouds, "polly")


def await_default(clouds: Clouds, engine: str) -> None:
    """Return when an order without a voice would be given to this engine; circuits are looked at once a second."""
    too_fast = {"text": HELLO, "speed": 4}  # is refused in the name of the engine that would speak
    until = time.monotonic() + 30
    while not clouds.tenant.live.post("/v1/speech", json=too_fast).json()["detail"].startswith(f"{engine} "):
        assert time.monotonic() < until, f"the default voice is not of {engine}"
        time.sleep(0.1)


def ended(clouds: Clouds, speech_id: str) -> Any:
    """The job once it has ended."""
    for _ in range(3):
        shown = clouds.tenant.live.get(f"/v1/speech/{speech_id}", headers={"Prefer": "wait=30"}).json()
        if shown["status"] in ENDED:
            return shown
    raise AssertionError(f"still {shown['status']}")


def costs(clouds: Clouds, shown: Any) -> list[tuple[str, str, int, int, Decimal]]:
    """Engine, model, number of the call, characters and amount of a job's cost entries."""
    sql: LiteralString = """SELECT engine, model, sequence, raw_quantity, amount FROM usage_entry
     WHERE subject_id = %s AND kind = 'cost' ORDER BY sequence"""
    return rows_of(clouds, sql, shown)


def attempts(clouds: Clouds, shown: Any) -> list[str]:
    """How each of a job's calls ended."""
    sql = "SELECT outcome FROM engine_attempt WHERE job_id = %s ORDER BY number"
    return [row[0] for row in rows_of(clouds, sql, shown)]


def rows_of(clouds: Clouds, sql: LiteralString, shown: Any) -> list[Any]:
    with psycopg.connect(Home(clouds.stack.home).state()["env"]["DATABASE_OWNER_URL"]) as connection:
        return connection.execute(sql, [ids.parse(ids.SPEECH, shown["id"])]).fetchall()


def said_at_once(clouds: Clouds, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    """The answer to a request that waits for its audio."""
    body = {"text": HELLO, "format": "pcm", "reuse": "never"} | fields
    return clouds.tenant.live.post("/v1/speech", json=body, headers=headers)


def characters(tenant: Tenant) -> int:
    return sum(line["quantity"] for line in usage(tenant.live)["data"] if line["meter"] == "characters")
