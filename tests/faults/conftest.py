"""One stack for all tests of this folder: each of them leaves it running and at rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harness import Chaos


@pytest.fixture(scope="package")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with Chaos(tmp_path_factory.mktemp("chaos")) as running:
        yield running
