"""One stack for all tests of this folder, whose simulated engine hears a recording in many small parts, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.faults.client import Customer
from tests.faults.harness import Chaos

TENANT_LIMIT, LIMIT = 20, 30
SETTINGS = {
    "PARLANCE_WORKERS": "1",
    "PARLANCE_SLOTS": "local:simulated=1",
    "PARLANCE_SEGMENT_WORK_MS": "1",
    "PARLANCE_MAX_STREAMS": str(LIMIT),
    "PARLANCE_MAX_STREAMS_PER_TENANT": str(TENANT_LIMIT),
}


@pytest.fixture(scope="package")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with Chaos(tmp_path_factory.mktemp("streams"), settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="package")
def new_customer(chaos: Chaos) -> Callable[[], Customer]:
    """Makes tenants; each test has its own, so that all of its usage is the test's."""
    numbers = count()
    return lambda: chaos.customer(f"reader-{next(numbers)}")


@pytest.fixture
def customer(new_customer: Callable[[], Customer]) -> Customer:
    return new_customer()
