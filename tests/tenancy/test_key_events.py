"""What receivers are told of keys, and keys forgotten by all processes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from told import check_told

from tenants import auth, forgetting
from tenants.facade import create_key, revoke_key, tell_of_ends
from tests.tenancy.catalog import rows

_EVENTS = "SELECT type, body FROM outbox_event WHERE subject_id = %s ORDER BY sequence"


def _types(key_id: Any) -> list[str]:
    return [check_told(json.loads(bytes(body))).type for _, body in rows(_EVENTS, [key_id])]


def test_a_key_tells_of_its_beginning_and_its_end(alice: Any) -> None:
    made = create_key(alice.id, name="told")
    revoke_key(made.id, actor="operator")
    assert _types(made.id) == ["api_key.created", "api_key.revoked"]
    body = json.loads(bytes(rows(_EVENTS, [made.id])[1][1]))["data"]
    assert (body["name"], body["status"], "secret" in body) == ("told", "revoked", False)


def test_a_key_that_ends_soon_is_told_of_once(alice: Any) -> None:
    soon = create_key(alice.id, expires_at=datetime.now(UTC) + timedelta(days=30))
    late = create_key(alice.id, expires_at=datetime.now(UTC) + timedelta(days=30))
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE api_key SET expires_at = now() + interval '6 days', created_at = now() - interval '99 days'"
            " WHERE id = %s",
            [soon.id],
        )
    tell_of_ends()
    tell_of_ends()
    assert _types(soon.id).count("api_key.expiring") == 1
    assert "api_key.expiring" not in _types(late.id)


def test_another_process_forgets_as_soon_as_the_change_is_committed(alice: Any) -> None:
    async def hear() -> int:
        heard = asyncio.Event()
        ears = forgetting.Ears(lambda _: heard.set())
        ears.start()
        await asyncio.wait_for(heard.wait(), 10)  # the subscription stands
        heard.clear()
        await asyncio.to_thread(revoke)
        await asyncio.wait_for(heard.wait(), 10)
        return 1

    def revoke() -> None:
        revoke_key(made.id, actor="operator")
        connections.close_all()  # of this thread

    made = create_key(alice.id)
    assert asyncio.run(hear()) == 1


def test_what_was_read_before_a_change_is_not_kept_after_it(alice: Any, monkeypatch: Any) -> None:
    read = auth._read

    def slow(key: str) -> Any:
        known = read(key)
        auth.forget_keys()  # somebody revokes it between our reading and our remembering
        return known

    monkeypatch.setattr(auth, "_read", slow)
    auth.forget_keys()
    auth.authenticate(alice.secret, address="127.0.0.1")
    assert auth.cached(alice.secret, address="127.0.0.1") is None
