"""One PostgreSQL and one Redis for each test process, and one whole running stack for its tests that speak HTTP.

Tests that touch the database in this process connect as the roles that the product uses. A running stack has servers of
its own, so that no worker takes what such a test has queued.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from stack import Stack, bare_environment, free_port

from workers.embedded.stack import Services

# How long an example takes says something of the machine, not of the code.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")
FOLDER = Path(tempfile.mkdtemp(prefix="parlance-tests-"))
FOLDER.chmod(0o755)  # as root, the database's own user must be able to enter
RECEIVER_PORT = free_port()  # the one private address that the running stack may call
AUDIO = Path(os.environ.get("PARLANCE_TEST_AUDIO", Path(__file__).parents[2] / "shared" / "audio"))


def pytest_configure(config: pytest.Config) -> None:
    """The servers must be up before test modules import models. Each of several test processes has its own."""
    shares_out = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if shares_out or config.option.collectonly:
        return
    services = Services(FOLDER / "servers", fast=True, environ=bare_environment())
    os.environ |= services.open().env
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PARLANCE_WORK_DIR": str(FOLDER / "work")}
    config.add_cleanup(lambda: _stop(services))
    import django

    django.setup()


def _stop(services: Services) -> None:
    from django.db import connections

    connections.close_all()
    services.close()
    shutil.rmtree(FOLDER, ignore_errors=True)


@dataclass(frozen=True)
class Someone:
    """A tenant with a live key and a test key, in this process's database."""

    caller: Any
    secret: str
    test_secret: str

    @property
    def tenant(self) -> Any:
        return self.caller.tenant

    @property
    def id(self) -> UUID:
        return UUID(str(self.caller.tenant_id))


@pytest.fixture(scope="session")
def migrated() -> None:
    """This process's database, migrated once."""
    from workers.migrate import main

    assert main() == 0


@pytest.fixture
def new_tenant(migrated: None) -> Callable[..., Someone]:
    """Makes tenants."""
    from tenants.facade import authenticate, create_key, create_tenant

    def make(name: str = "somebody", **options: Any) -> Someone:
        tenant = create_tenant(name, **options)
        live, test = create_key(tenant.id).secret, create_key(tenant.id, livemode=False).secret
        return Someone(authenticate(live, address="127.0.0.1"), live, test)

    return make


@pytest.fixture
def alice(new_tenant: Callable[..., Someone]) -> Someone:
    """Owns things."""
    return new_tenant("alice")


@pytest.fixture
def charlie(new_tenant: Callable[..., Someone]) -> Someone:
    """Must never see Alice's things."""
    return new_tenant("charlie")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole product, running: web, worker, scheduler and servers of its own."""
    running = Stack(
        FOLDER / "stack", environ={"PARLANCE_EGRESS_ALLOW": f"127.0.0.1:{RECEIVER_PORT}", "PARLANCE_CATALOGUE_S": "1"}
    )
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def speech_clips() -> list[Path]:
    """Real speech with its text beside it; skipped with a reason where the folder is absent."""
    clips = sorted(AUDIO.glob("*.flac")) + sorted(AUDIO.glob("*.wav"))
    if not clips:
        pytest.skip("no real speech here: set PARLANCE_TEST_AUDIO to a folder with clips and their texts")
    return clips


@pytest.fixture(autouse=True)
def _in_public_schema() -> Iterator[None]:
    """No test leaves a tenant behind."""
    from tenants.facade import PUBLIC, current_tenant

    yield
    assert current_tenant() is PUBLIC
