"""Σ jobs = Σ ledger: the register of jobs against the entries, job by job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from billing.facade import check

pytestmark = pytest.mark.usefixtures("migrated")


def test_jobs_and_ledger_agree(ended: Callable[..., UUID]) -> None:
    jobs = [
        ended("completed", minutes=2, measured_ms=120_000),
        ended("completed", minutes=1, kind="speech"),
        ended("canceled", minutes=1, measured_ms=180_000, readable_ms=60_000),
        ended("canceled", measured_ms=180_000),
        ended("failed", measured_ms=180_000, readable_ms=60_000),
        ended("completed", measured_ms=60_000, livemode=False),
    ]
    assert [one for one in check() if one.subject in map(str, jobs)] == []


@pytest.mark.parametrize(("state", "minutes", "columns", "expected", "found"), [
    ("completed", 0, {"measured_ms": 60_000}, "60000", "none"),
    ("completed", 2, {"measured_ms": 60_000}, "60000", "120000"),
    ("completed", 0, {"kind": "speech"}, "entries", "none"),
    ("canceled", 0, {"measured_ms": 60_000, "readable_ms": 30_000}, "30000", "none"),
    ("failed", 1, {"measured_ms": 60_000}, "0", "60000"),
], ids=["missing", "too much", "unsaid", "read and not billed", "failed and billed"])  # fmt: skip
def test_a_check_finds_the_job_whose_entries_differ(
    ended: Callable[..., UUID], state: str, minutes: int, columns: dict[str, Any], expected: str, found: str
) -> None:
    wrong = ended(state, minutes=minutes, **columns)
    (one,) = (one for one in check() if one.subject == str(wrong))
    assert (one.what, one.expected, one.found) == ("job and its entries", expected, found)
