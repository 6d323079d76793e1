"""Calls of engines do not stay for ever."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest

from config.wiring import make_sweeper
from dispatch import expiry
from dispatch.expiry import DAY_MS, forget_old_attempts
from tests.dispatch.conftest import sql

pytestmark = pytest.mark.usefixtures("migrated")


def call_of(someone: Any, *, days_ago: int) -> UUID:
    """A call of a job that was accepted then."""
    from django.db import connections

    job_id = UUID(int=((time.time_ns() // 1_000_000 - days_ago * DAY_MS) << 80) + someone.id.int % 2**64)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO engine_attempt (job_id, number, tenant_id, ordinal, start_ms, end_ms, engine)"
            " SELECT %s, n, %s, 0, 0, 1000, 'simulated-cloud' FROM generate_series(1, 3) AS n",
            [job_id, someone.id],
        )
    return job_id


def test_old_calls_go_batch_by_batch_and_newer_ones_stay(alice: Any) -> None:
    call_of(alice, days_ago=91)
    call_of(alice, days_ago=400)
    kept = call_of(alice, days_ago=89)
    assert forget_old_attempts(batch=4) >= 6
    assert sql("SELECT DISTINCT job_id FROM engine_attempt WHERE tenant_id = %s", [alice.id]) == [(kept,)]
    assert forget_old_attempts() == 0


def test_the_sweeper_does_it_every_hour() -> None:
    assert expiry.forget_old_attempts in make_sweeper()._hourly
