"""The end of a tenant: nothing opens any more, content goes after the grace, a kill changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from typer.testing import CliRunner

from storage.facade import store
from tenants import auth
from tenants.errors import KeyRefused
from tenants.facade import authenticate, close, create_key, erase_rows, tenant_context
from webhooks.closing import end_endpoints
from webhooks.models import WebhookEndpoint
from webhooks.services import create_endpoint
from workers.cli.tenants import tenant_app

ROOT = Path(__file__).parents[2]
SWEEP = "import django; django.setup(); from config.wiring import make_sweeper; make_sweeper().tick()"
POINTS = [
    "close.endpoints_uncommitted", "close.endpoints_ended", "close.due_dates_dropped", "close.objects_erased",
    "close.erased",
]  # fmt: skip


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def fill(someone: Any) -> str:
    """An endpoint and an object; the object's key."""
    create_endpoint(someone.caller, url="https://hooks.example.com/canary", event_types=["*"])
    key = f"t/{someone.id.hex}/jobs/{'0' * 32}/source"
    store().put_bytes(key, data=b"canary", content_type="audio/wav")
    return key


def sweep(folder: Path) -> int:
    """One round of a real sweeper in a process of its own; how it ended."""
    more = {"PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}", "PARLANCE_FAILPOINT_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", SWEEP], env=os.environ | more, check=False).returncode


def erased(someone: Any, key: str) -> bool:
    [(schema,)] = rows("SELECT count(*) FROM pg_namespace WHERE nspname = %s", someone.tenant.schema_name)
    [(keys,)] = rows("SELECT count(*) FROM data_key WHERE tenant_id = %s", someone.id)
    [(stamped,)] = rows("SELECT erased_at IS NOT NULL FROM tenant WHERE id = %s", someone.id)
    gone = {schema == 0, keys == 0, stamped}
    assert len(gone) == 1, "these three go together"
    return gone == {True} and store().stat(key) is None


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up."""
    monkeypatch.setattr("webhooks.services.check_destination", lambda *_args, **_more: None)


def test_closing_ends_keys_at_once_and_endpoints_next(alice: Any) -> None:
    key = fill(alice)
    assert close(alice.id, grace=timedelta(days=30)) is not None
    for secret in (alice.secret, alice.test_secret):
        with pytest.raises(KeyRefused):
            authenticate(secret, address="127.0.0.1")
    end_endpoints(alice.id, alice.id)
    with tenant_context(alice.tenant):
        assert not WebhookEndpoint.objects.filter(deleted_at=None).exists()
    assert rows(f'SELECT 1 FROM "{alice.tenant.schema_name}".webhook_target') == []
    assert not erase_rows(alice.id), "the grace is not over"
    assert not erased(alice, key)


def test_a_key_made_while_its_tenant_was_closed_opens_nothing(alice: Any) -> None:
    close(alice.id)
    late = create_key(alice.id).secret
    auth.forget_keys()
    with pytest.raises(KeyRefused):
        authenticate(late, address="127.0.0.1")


def test_nothing_is_erased_of_a_tenant_that_was_not_closed(alice: Any) -> None:
    assert not erase_rows(alice.id)
    key = fill(alice)
    assert not erased(alice, key)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_step_changes_nothing(alice: Any, charlie: Any, tmp_path: Path, point: str) -> None:
    key, kept = fill(alice), fill(charlie)
    close(alice.id, grace=timedelta(0))
    (tmp_path / point).touch()
    assert sweep(tmp_path) == -signal.SIGKILL
    assert sweep(tmp_path) == 0
    assert erased(alice, key)
    assert not erased(charlie, kept)
    assert store().stat(kept) is not None
    assert rows("SELECT kind FROM due_date WHERE tenant_id = %s", alice.id) == []
    told = rows("SELECT action FROM audit_entry WHERE tenant_id = %s AND action LIKE 'tenant.%%' ORDER BY id", alice.id)
    assert told == [("tenant.created",), ("tenant.closed",), ("tenant.erased",)]


def test_the_command_asks_and_tells_and_does_it_once(alice: Any) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(tenant_app, ["close", *arguments])

    from apikit import ids

    shown = ids.show(ids.TENANT, alice.id)
    assert "say --yes" in run(shown).output
    assert "erase_at" in run(shown, "--yes").output
    assert "closed already" in run(shown, "--yes").output
