"""An accept whose outcome its process never learned."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.media import tone


@pytest.fixture
def order(alice: Any) -> Any:
    """A recording that came with a request."""
    from speech.contracts import StoredFile, TranscriptionOrder
    from speech.facade import incoming_key
    from storage.facade import store

    key, clip = incoming_key(alice.id), tone(100)
    store().put_bytes(key, data=clip, content_type="audio/wav")
    file = StoredFile(
        object_key=key, filename="call.wav", content_type="audio/wav", size_bytes=len(clip), sha256="0" * 64, head=clip
    )
    return TranscriptionOrder(file=file, engine="simulated")


def accept(alice: Any, order: Any) -> Any:
    from speech.services import accept
    from tenants.facade import tenant_context

    with tenant_context(alice.tenant):
        return accept(alice.caller, order, idempotency_key="once")


def jobs_with_audio(alice: Any) -> list[bool]:
    """For each job of the tenant whether its audio is in the store."""
    from speech.models import TranscriptionRequest
    from storage.facade import store
    from tenants.facade import tenant_context

    with tenant_context(alice.tenant):
        keys = list(TranscriptionRequest.objects.values_list("object_key", flat=True))
    return [store().stat(key) is not None for key in keys]


def test_the_audio_stays_when_only_the_answer_of_the_commit_was_lost(
    alice: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import django.db

    connection: Any = django.db.connection
    commit = connection._commit

    def cut() -> None:
        commit()
        monkeypatch.undo()
        raise django.db.OperationalError("server closed the connection unexpectedly")

    connection.ensure_connection()
    monkeypatch.setattr(connection, "_commit", cut)
    with pytest.raises(django.db.OperationalError):
        accept(alice, order)
    connection.close()
    assert jobs_with_audio(alice) == [True]
    assert accept(alice, order).replayed


def test_the_audio_of_an_order_that_came_to_nothing_goes_with_its_hour(
    alice: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime, timedelta

    from speech import sweeping
    from storage.facade import store

    monkeypatch.setattr("speech.services._request_values", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        accept(alice, order)
    assert jobs_with_audio(alice) == []
    sweeping.sweep_incoming()
    assert store().stat(order.file.object_key) is not None
    sweeping.sweep_incoming(now=datetime.now(UTC) + timedelta(hours=27))
    assert store().stat(order.file.object_key) is None
