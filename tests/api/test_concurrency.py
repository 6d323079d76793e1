"""Requests at the same moment: exact under a race, freed before the answer ends, and by time when a process dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from stack import Stack, Tenant

from apikit.limits.contracts import Place
from apikit.limits.leases import Crowded, Leases
from config.env import Reader, SettingError

REDIS = os.environ.get("REDIS_URL", "")
AWAY = "redis://127.0.0.1:1/0"
BODY = b'{"filename": "a.wav", "size_bytes": 5}'

# A process that takes both places, says so, and goes on renewing them until it is killed.
HOLDER = """
import asyncio, sys
from apikit.limits.contracts import Place
from apikit.limits.leases import Leases

async def hold():
    leases = Leases(sys.argv[1], lease_s=1.0, renew_s=0.2)
    place = Place(sys.argv[2], "concurrency", 2)
    await leases.take([place]), await leases.take([place])
    print("held", flush=True)
    await asyncio.sleep(60)

asyncio.run(hold())
"""


@pytest.fixture
def place() -> Place:
    return Place(uuid4().hex, "concurrency", 20)


async def taken(leases: Leases, place: Place) -> bool:
    try:
        await leases.take([place])
    except Crowded:
        return False
    return True


@contextlib.contextmanager
def begun(stack: Stack, key: str, count: int) -> Iterator[list[socket.socket]]:
    """So many requests whose heads are there and whose bodies are not."""
    host, port = urlsplit(stack.url).hostname, urlsplit(stack.url).port
    head = f"POST /v1/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(BODY)}\r\n\r\n"
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection((host, port), timeout=30)) for _ in range(count)]
        for client in clients:
            client.sendall(head.encode())
        yield clients


def answered(clients: list[socket.socket], *, count: int) -> list[socket.socket]:
    """Those that have an answer, once there are so many."""
    ends, ready = time.monotonic() + 30, []
    while len(ready) < count and time.monotonic() < ends:
        ready, _, _ = select.select(clients, [], [], 0.1)
    return ready


@pytest.mark.parametrize("limit", ["concurrency=20", "requests=20/hour"])
def test_of_200_racing_requests_exactly_20_are_let_in(stack: Stack, limit: str) -> None:
    tenant = stack.tenant(f"racing-{limit}")
    stack.parlance("tenant", "set", tenant.id, f"--limit={limit}")
    with begun(stack, tenant.api_key, 200) as clients:
        refused = answered(clients, count=180)
        let_in = [client for client in clients if client not in refused]

        assert len(refused) == 180
        assert all(client.recv(4096).startswith(b"HTTP/1.1 429") for client in refused)
        assert tenant.test.get("/v1/voices").status_code == 200, "test keys have places of their own"
        for client in let_in:
            client.sendall(BODY)
        assert [client.recv(12) for client in let_in] == [b"HTTP/1.1 201"] * 20

    if limit.startswith("concurrency"):
        assert {tenant.live.get("/v1/voices").status_code for _ in range(30)} == {200}, "all places are free again"


def test_one_after_the_other_never_meets_the_limit_of_one(stack: Stack, alice_http: Tenant) -> None:
    made = json.loads(stack.parlance("key", "create", alice_http.id, "--limit=concurrency=1", "--json"))
    narrow = stack.client(made["api_key"])

    assert {narrow.get("/v1/voices").status_code for _ in range(50)} == {200}
    with begun(stack, made["api_key"], 2) as clients:
        [late] = answered(clients, count=1)
        refused = json.loads(late.recv(8192).split(b"\r\n\r\n", 1)[1])
    assert (refused["code"], refused["violated_policies"]) == ("too_many_at_once", ["key-concurrency"])
    assert narrow.get("/v1/api-keys/current").json()["limits"]["concurrency"] == 1
    assert {"name": "key-concurrency", "shared_by": "api_key", "limit": 1} in narrow.get("/v1/limits").json()[
        "concurrency"
    ]


def test_a_key_makes_none_with_more_places_than_it_has(stack: Stack, alice_http: Tenant) -> None:
    made = json.loads(stack.parlance("key", "create", alice_http.id, "--limit=concurrency=3", "--json"))
    wanted = {"scopes": ["usage:read"], "limits": {"concurrency": 50}}

    assert stack.client(made["api_key"]).post("/v1/api-keys", json=wanted).json()["limits"]["concurrency"] == 3


def test_a_killed_process_gives_its_places_back(place: Place) -> None:
    command = [sys.executable, "-c", HOLDER, REDIS, place.bucket]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "platform"})
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"

    async def wait_for_a_place() -> tuple[bool, float]:
        leases = Leases(REDIS)
        two = Place(place.bucket, place.name, 2)
        await asyncio.sleep(1.5)  # longer than a lease: it was renewed
        before = await taken(leases, two)
        holder.send_signal(signal.SIGKILL)
        began = time.monotonic()
        while not await taken(leases, two):
            assert time.monotonic() - began < 20
            await asyncio.sleep(0.05)
        await leases.close()
        return before, time.monotonic() - began

    before, waited_s = asyncio.run(wait_for_a_place())
    holder.wait()
    holder.stdout.close()
    assert not before
    assert waited_s < 10


def test_without_redis_each_process_lets_its_part_in(place: Place) -> None:
    async def count() -> tuple[int, bool]:
        leases = Leases(AWAY, processes=4)
        passed = [await taken(leases, place) for _ in range(8)]
        held = next(iter(leases._held.values()))
        await leases.give_back(held)
        again = await taken(leases, place)
        await leases.close()
        return sum(passed), again

    assert asyncio.run(count()) == (5, True)


def test_an_emptied_redis_learns_again_who_holds_places(place: Place) -> None:
    async def after_a_flush() -> bool:
        leases, one = Leases(REDIS), Place(place.bucket, place.name, 1)
        await leases.take([one])
        await leases._redis.delete(f"parlance:at-once:{one.bucket}")
        await leases.renew()
        passed = await taken(leases, one)
        await leases.close()
        return passed

    assert not asyncio.run(after_a_flush())


def test_a_tenant_without_limits_of_its_own_has_its_plans() -> None:
    from django.test import override_settings

    from tenants.context import TenantRef
    from tenants.contracts import Caller, Policies
    from tenants.rates import places_of

    plans = Reader({"PLANS": "free:requests=60/minute,concurrency=5; pro:concurrency=50"}).plans("PLANS")
    who = {"tenant": TenantRef(id=uuid4(), schema_name="t"), "key_id": uuid4(), "livemode": True}

    def places(policies: Policies) -> list[int]:
        caller = Caller(**who, scopes=frozenset(), currency="USD", weight=100, policies=policies)  # type: ignore[arg-type]
        return [one.limit for one in places_of(caller)]

    with override_settings(PLAN_LIMITS=plans, DEFAULT_LIMITS={}):
        assert [places(Policies(plan=plan)) for plan in ("free", "pro", "")] == [[5], [50], []]
        assert places(Policies.parse({"plan": "free", "limits": {"concurrency": "7"}})) == [7]


@pytest.mark.parametrize("wrong", ["concurrency=5", "free:concurrency=0", "free:requests=60", "free:people=5"])
def test_what_is_no_plan_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingError, match="PLANS"):
        Reader({"PLANS": wrong}).plans("PLANS")
