"""OpenAI's SDK repeats a call that broke, without a key. The repeat finds the job that the first attempt made."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from stack import Stack, Tenant

from tests.api.calls import raw_at_once, tenant_uuid
from tests.api.media import FORM, form, part, tone

SDK = Callable[..., OpenAI]
PATH = "/v1/audio/transcriptions"


class CuttingProxy:
    """Passes bytes on, and drops the first connections once the service has begun to work on their requests."""

    def __init__(self, port: int, *, cut: int, jobs: Callable[[], int]) -> None:
        self._target = ("127.0.0.1", port)
        self._cut, self._jobs = cut, jobs
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = [self._listener]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        for each in self._open:  # clients keep their connections open
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                handler = self._drop if self.connections <= self._cut else self._pass
                with client, socket.create_connection(self._target) as server:
                    self._open += [client, server]
                    handler(client, server)

    def _drop(self, client: socket.socket, server: socket.socket) -> None:
        """The whole request goes through, a job comes to exist, and the client loses its connection."""
        before = self._jobs()
        up = threading.Thread(target=_pump, args=(client, server))
        up.start()
        while self._jobs() == before:
            time.sleep(0.02)
        client.shutdown(socket.SHUT_RDWR)
        up.join()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        up = threading.Thread(target=_pump, args=(client, server))
        up.start()
        _pump(server, client)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        up.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Counted:
    """A tenant, and what it had before this test."""

    tenant: Tenant
    known: frozenset[str]
    billed_before_ms: int

    @property
    def live(self) -> httpx.Client:
        return self.tenant.live

    @property
    def api_key(self) -> str:
        return self.tenant.api_key

    def jobs(self) -> set[str]:
        return _ids(self.tenant) - self.known

    def billed_ms(self) -> int:
        return _billed_ms(self.tenant) - self.billed_before_ms


def _ids(tenant: Tenant) -> frozenset[str]:
    rows = tenant.live.get("/v1/transcriptions", params={"limit": 100}).json()["data"]
    return frozenset(row["id"] for row in rows)


def _billed_ms(tenant: Tenant) -> int:
    return sum(line["quantity"] for line in tenant.live.get("/v1/usage").json()["data"])


@pytest.fixture(scope="session")
def retrying(stack: Stack) -> Tenant:
    return stack.tenant("retrying")


@pytest.fixture
def lonely(retrying: Tenant) -> Counted:
    """A tenant whose jobs of this test can be counted: each test waits for the end of whatever it started."""
    return Counted(retrying, _ids(retrying), _billed_ms(retrying))


_SEEDS = itertools.count(100)


@pytest.fixture
def clip() -> bytes:
    """A sound that no other test sends: within a quarter of an hour its call would be the same call."""
    return tone(2_000, seed=next(_SEEDS))


@pytest.fixture
def proxy(stack: Stack, lonely: Counted) -> Iterator[Callable[[int], CuttingProxy]]:
    with contextlib.ExitStack() as opened:

        def make(cut: int) -> CuttingProxy:
            made = CuttingProxy(stack.port, cut=cut, jobs=lambda: len(lonely.jobs()))
            opened.callback(made.close)
            return made

        yield make


def _hear(client: OpenAI, data: bytes, *, attempt: int | None = None, **options: Any) -> Any:
    headers = {} if attempt is None else {"x-stainless-retry-count": str(attempt)}
    return client.audio.transcriptions.create(
        file=("a.wav", data), extra_headers=headers, **({"model": "simulated"} | options)
    )


def test_a_connection_that_breaks_after_the_upload_costs_nothing_more(
    sdk: SDK, lonely: Counted, proxy: Callable[[int], CuttingProxy], clip: bytes, store: Path
) -> None:
    through, before = proxy(1), set(_incoming(store, lonely.tenant))
    client = sdk(lonely.api_key, base_url=f"http://127.0.0.1:{through.port}/v1", max_retries=2)
    answer = _hear(client, clip, extra_body={"simulate": "slow:1500"})
    assert through.connections == 2
    assert lonely.jobs() == {answer.x_parlance["id"]}
    assert lonely.billed_ms() == 2_000
    until = time.monotonic() + 20
    while set(_incoming(store, lonely.tenant)) - before and time.monotonic() < until:
        time.sleep(0.05)  # the job's own file is moved to it by the sweeper
    assert set(_incoming(store, lonely.tenant)) <= before


def _incoming(store: Path, tenant: Tenant) -> list[Path]:
    files = (path for path in store.rglob("incoming/**/*") if path.is_file())
    return [path for path in files if tenant_uuid(tenant).hex in str(path)]


def test_two_calls_that_somebody_meant_stay_two(sdk: SDK, lonely: Counted, clip: bytes) -> None:
    client = sdk(lonely.api_key)
    assert len({_hear(client, clip).x_parlance["id"] for _ in range(2)}) == 2
    assert lonely.billed_ms() == 4_000


def test_a_repeat_joins_the_newest_of_the_same_calls(sdk: SDK, lonely: Counted, clip: bytes) -> None:
    client = sdk(lonely.api_key)
    _, newest = (_hear(client, clip).x_parlance["id"] for _ in range(2))
    assert _hear(client, clip, attempt=1).x_parlance["id"] == newest
    assert _hear(client, clip, attempt=2).x_parlance["id"] == newest
    assert len(lonely.jobs()) == 2


OTHERS: dict[str, dict[str, Any]] = {
    "another file": {"data": tone(2_000, seed=5)},
    "another option": {"language": "ko"},
    "another format": {"response_format": "verbose_json"},
    "another tag": {"extra_body": {"tags": ["b"]}},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_a_repeat_of_another_call_is_a_new_job(sdk: SDK, lonely: Counted, clip: bytes, other: dict[str, Any]) -> None:
    client = sdk(lonely.api_key)
    first = _hear(client, clip)
    again = _hear(client, **({"data": clip} | other), attempt=1)
    assert first.x_parlance["id"] != again.x_parlance["id"]


def test_a_repeat_under_another_key_mode_or_tenant_is_a_new_job(
    sdk: SDK, stack: Stack, lonely: Counted, anna: Tenant, clip: bytes
) -> None:
    other = json.loads(stack.parlance("key", "create", lonely.tenant.id, "--json"))["api_key"]
    made = {_hear(sdk(lonely.api_key), clip).x_parlance["id"]}
    for key in (other, lonely.tenant.test_api_key, anna.api_key):
        made.add(_hear(sdk(key), clip, attempt=1).x_parlance["id"])
    assert len(made) == 4


def test_a_repeat_of_a_job_that_failed_tries_again(sdk: SDK, lonely: Counted, clip: bytes) -> None:
    client, wish = sdk(lonely.api_key), {"extra_body": {"simulate": "permanent_error"}}
    for attempt in (0, 1):
        with pytest.raises(openai.BadRequestError):
            _hear(client, clip, attempt=attempt, **wish)
    assert len(lonely.jobs()) == 2
    assert lonely.billed_ms() == 0


def test_thirty_repeats_at_once_are_one_job(lonely: Counted, clip: bytes) -> None:
    body = form(part("model", b"simulated"), part("file", clip, filename=b"a.wav"))
    headers = [("content-type", FORM), ("x-stainless-retry-count", b"1")]
    answers = raw_at_once(lonely.live, "POST", PATH, body=body, headers=headers, times=30)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["x_parlance"]["id"] for answer in answers}) == len(lonely.jobs()) == 1


def test_first_attempts_at_once_are_all_meant(lonely: Counted, clip: bytes) -> None:
    body = form(part("model", b"simulated"), part("file", clip, filename=b"a.wav"))
    headers = [("content-type", FORM), ("x-stainless-retry-count", b"0")]
    answers = raw_at_once(lonely.live, "POST", PATH, body=body, headers=headers, times=10)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["x_parlance"]["id"] for answer in answers}) == 10


def test_without_a_count_nothing_is_joined(lonely: Counted, clip: bytes) -> None:
    made = [
        lonely.live.post(PATH, data={"model": "simulated"}, files={"file": ("a.wav", clip)}, headers=headers).json()
        for headers in ({}, {"x-stainless-retry-count": "soon"}, {"x-stainless-retry-count": "1"})
    ]
    assert len({answer["x_parlance"]["id"] for answer in made}) == 3


def test_a_key_of_ones_own_is_stronger(sdk: SDK, lonely: Counted, clip: bytes) -> None:
    client, key = sdk(lonely.api_key), {"Idempotency-Key": "call-42"}
    first, again = (
        client.audio.transcriptions.create(file=("a.wav", clip), model="simulated", extra_headers=key) for _ in range(2)
    )
    assert first.x_parlance["id"] == again.x_parlance["id"]  # type: ignore[attr-defined]
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(file=("a.wav", clip), model="simulated", language="ko", extra_headers=key)
    assert caught.value.code == "idempotency_key_reused"


def test_repeats_wait_for_the_job_that_runs(sdk: SDK, lonely: Counted, clip: bytes) -> None:
    client = sdk(lonely.api_key)
    slow = {"extra_body": {"simulate": "slow:1500"}}
    with ThreadPoolExecutor() as threads:
        first = threads.submit(_hear, client, clip, attempt=0, **slow)
        while not lonely.jobs():
            time.sleep(0.02)
        again = threads.submit(_hear, client, clip, attempt=1, **slow)
        assert first.result().x_parlance["id"] == again.result().x_parlance["id"]
    told = client.audio.transcriptions.with_raw_response.create(
        file=("a.wav", clip), model="simulated", extra_headers={"x-stainless-retry-count": "2"}, **slow
    )
    assert told.headers["idempotency-replayed"] == "true"
    assert lonely.billed_ms() == 2_000


def test_the_asynchronous_client_is_joined_too(async_sdk: Any, lonely: Counted, clip: bytes) -> None:
    async def both() -> set[str]:
        async with async_sdk(lonely.api_key) as client:
            made = [
                await client.audio.transcriptions.create(
                    file=("a.wav", clip), model="simulated", extra_headers={"x-stainless-retry-count": count}
                )
                for count in ("0", "1")
            ]
            return {answer.x_parlance["id"] for answer in made}

    assert len(asyncio.run(both())) == 1
