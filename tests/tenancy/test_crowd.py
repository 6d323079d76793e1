"""Five tenants, a hundred requests each, all at once on the running stack: nobody gets a row of another."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from stack import Stack, Tenant

TENANTS, REQUESTS, AT_ONCE = 5, 100, 10


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> list[Tenant]:
    return [stack.tenant(f"crowd-{number}") for number in range(TENANTS)]


def _own(tenant: Tenant, number: int) -> set[str]:
    body = {"filename": f"of-{number}.wav", "size_bytes": number + 1}
    return {tenant.live.post("/v1/uploads", json=body).json()["id"] for _ in range(3)}


async def _ask(client: httpx.AsyncClient, slots: asyncio.Semaphore, path: str, key: str) -> Any:
    async with slots:
        answer = await client.get(path, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


def test_nobody_gets_a_row_of_another(stack: Stack, crowd: list[Tenant]) -> None:
    uploads = [_own(tenant, number) for number, tenant in enumerate(crowd)]

    async def all_at_once() -> list[tuple[int, str, int, Any]]:
        slots = asyncio.Semaphore(TENANTS * AT_ONCE)
        async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=60) as client:
            wanted = [
                (asker, owner, sorted(uploads[owner])[turn % 3])
                for turn in range(REQUESTS // 2)
                for asker in range(TENANTS)
                for owner in (asker, (asker + turn) % TENANTS)
            ]
            asked = [_ask(client, slots, f"/v1/uploads/{shown}", crowd[asker].api_key) for asker, _, shown in wanted]
            answers = await asyncio.gather(*asked)
        return [(asker, shown, owner, answer) for (asker, owner, shown), answer in zip(wanted, answers, strict=True)]

    done = asyncio.run(all_at_once())
    assert len(done) == TENANTS * REQUESTS
    for asker, shown, owner, (status, body) in done:
        assert status == (200 if asker == owner else 404)
        if asker == owner:
            assert (body["id"], body["filename"], body["size_bytes"]) == (shown, f"of-{owner}.wav", owner + 1)
