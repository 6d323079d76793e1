"""A closed tenant over HTTP: its keys open nothing, a job that still runs costs nothing, the books stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from stack import Stack

from tests.api.calls import check_problem, order, tenant_uuid, transcribe

LOOKS = 3_000  # each is a query, so this is some seconds


def until(read: Callable[[], Any]) -> Any:
    for _ in range(LOOKS):
        if found := read():
            return found
    raise AssertionError("it never came")


@pytest.mark.timeout(120)
def test_a_closed_tenant_is_erased_and_its_books_stay(
    stack: Stack, database: psycopg.Connection[Any], clip: bytes
) -> None:
    tenant = stack.tenant("leaving")
    tenant_id = tenant_uuid(tenant)
    transcribe(tenant.live, clip)
    order(tenant.live, clip, simulate="slow:60000", engine="simulated")

    stack.parlance("tenant", "close", tenant.id, "--grace-days", "0", "--yes")
    check_problem(tenant.live.get("/v1/transcriptions"), 401, "invalid_api_key")

    def erased() -> list[Any]:
        # Where a job had to be ended first, the sweeper comes again five minutes later: those are over now.
        database.execute("UPDATE due_date SET due_at = now() WHERE tenant_id = %s", [tenant_id])
        database.execute("SELECT pg_sleep(0.02)")  # the wait is the database's: nothing else is to be done here
        return database.execute("SELECT 1 FROM tenant WHERE id = %s AND erased_at > closed_at", [tenant_id]).fetchall()

    until(erased)
    jobs = database.execute("SELECT error_code FROM job WHERE tenant_id = %s ORDER BY id", [tenant_id]).fetchall()
    assert jobs == [(None,), ("tenant_closed",)]
    for table, count in (("usage_entry", 1), ("hold", 0)):
        found = database.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant_id]).fetchone()
        assert found == (count,), table
