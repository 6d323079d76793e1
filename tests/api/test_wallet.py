"""A prepaid tenant: what the balance does not cover is refused before any engine is called."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, ended, order, tenant_uuid, usage
from tests.api.conftest import FileServer
from tests.api.media import silent_flac, tone

JOBS = 100
TEN_HOURS_S = 36_000
ONE_UNIT = Decimal("0.0001")


@pytest.fixture
def prepaid(stack: Stack, database: psycopg.Connection[Any]) -> Tenant:
    """A tenant whose wallet holds the smallest unit of the price book."""
    tenant = stack.tenant("prepaid")
    database.execute(
        "INSERT INTO wallet (tenant_id, currency, balance, held, credit_limit) VALUES (%s, 'USD', %s, 0, 0)",
        [tenant_uuid(tenant), ONE_UNIT],
    )
    return tenant


def _money(database: psycopg.Connection[Any], tenant: Tenant) -> tuple[Decimal, Decimal]:
    row = database.execute("SELECT balance, held FROM wallet WHERE tenant_id = %s", [tenant_uuid(tenant)]).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_hundred_urls_of_hours_on_one_unit_start_no_engine(
    prepaid: Tenant, database: psycopg.Connection[Any], file_server: FileServer
) -> None:
    """One file is really ten hours long; to decode a hundred of those would only take time."""
    urls = [file_server.serve("/ten-hours.flac", silent_flac(TEN_HOURS_S))]
    urls += [file_server.serve("/two-seconds.wav", tone(2_000))] * (JOBS - 1)
    answers = [
        prepaid.live.post(
            "/v1/transcriptions", json={"audio_url": url, "engine": "simulated", "simulate": "slow:60000"}
        )
        for url in urls
    ]
    refused = [check_problem(answer, 402, "insufficient_funds") for answer in answers if answer.status_code != 202]
    failed = [ended(prepaid.live, answer.json()["id"]) for answer in answers if answer.status_code == 202]
    assert failed, "the first must be taken: its length is not known yet"
    assert len(refused) + len(failed) == JOBS
    assert {(job["status"], job["error"]["code"], job["cost"]) for job in failed} == {
        ("failed", "insufficient_funds", None)
    }
    assert all(job["progress"]["done_ms"] == 0 for job in failed)
    assert usage(prepaid.live)["data"] == []
    assert _money(database, prepaid) == (ONE_UNIT, 0)


def test_what_the_balance_covers_is_taken_from_it(prepaid: Tenant, database: psycopg.Connection[Any]) -> None:
    done = ended(prepaid.live, order(prepaid.live, tone(1_000)).json()["id"])
    assert (done["status"], done["cost"]["amount"]) == ("completed", str(ONE_UNIT))
    assert _money(database, prepaid) == (0, 0)
    check_problem(order(prepaid.live, tone(1_000)), 402, "insufficient_funds")
