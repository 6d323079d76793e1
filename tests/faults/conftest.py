"""One stack for all tests of this folder: each of them leaves it running and at rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.clouds import Clouds
from tests.faults.harness import Chaos


@pytest.fixture(scope="package")
def clouds() -> Iterator[Clouds]:
    """The providers that the stack is set up with; nobody calls them who does not ask for it."""
    with Clouds() as running:
        yield running


@pytest.fixture(scope="package")
def chaos(tmp_path_factory: pytest.TempPathFactory, clouds: Clouds) -> Iterator[Chaos]:
    with Chaos(tmp_path_factory.mktemp("chaos"), settings=clouds.settings()) as running:
        yield running
