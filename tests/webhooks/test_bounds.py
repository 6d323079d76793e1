"""Hostile receivers and URLs: time, size and addresses are bounded, and nothing secret gets out."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.webhooks.steps import ATTEMPTS, ONE, send
from webhooks.destinations import new_client
from webhooks.facade import deliver_due, dispatch_events
from webhooks.services import create_endpoint


@pytest.mark.parametrize("shape", ["drip", "endless"])
def test_a_receiver_that_never_ends_its_answer_is_bounded(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LEASE_S", 3)
    sent = 0

    def answer(handler: Any) -> None:
        nonlocal sent
        handler.send_response(500)
        handler.send_header("content-length", str(10**9))
        handler.end_headers()
        pause = threading.Event()
        for _ in range(10_000):
            sent += handler.wfile.write(b"x" * (1 if shape == "drip" else 65536))
            handler.wfile.flush()
            if shape == "drip":
                pause.wait(0.05)

    monkeypatch.setattr(receiver, "answer", answer)
    publish()
    started_at = time.monotonic()
    send()
    assert time.monotonic() - started_at < 6
    assert sent < 20_000_000  # what the socket buffers swallowed, not a gigabyte
    [attempt] = rows(ATTEMPTS)
    assert attempt["error"] == ("deadline_exceeded" if shape == "drip" else "http_status")


@pytest.mark.parametrize(
    ("shape", "error"), [("gzip", "unsupported_encoding"), ("flood", "connection_lost"), ("reset", "connection_lost")]
)
def test_an_answer_that_is_no_plain_answer_is_a_failure(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, shape: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(handler: Any) -> None:
        handler.close_connection = True
        if shape == "reset":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf")
            return
        handler.send_response(200)
        if shape == "gzip":
            handler.send_header("content-encoding", "gzip")  # 1 MB of it may unfold to 1 GB
        else:
            for number in range(5000):
                handler.send_header(f"x-{number}", "y" * 100)
        handler.send_header("content-length", "0")
        handler.end_headers()

    monkeypatch.setattr(receiver, "answer", answer)
    publish()
    send()
    [row] = rows(ONE)
    assert (row["state"], row["last_error"]) == ("pending", error)


def test_connections_are_kept_and_no_compression_is_asked_for(
    endpoint: Any, receiver: Any, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, plain = set(), receiver.answer

    def answer(handler: Any) -> None:
        peers.add(handler.client_address)
        plain(handler)

    monkeypatch.setattr(receiver, "answer", answer)
    with connections["system"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET max_in_flight = 1")
    for number in range(6):
        publish(number=number)
    dispatch_events()
    with new_client() as client:
        while deliver_due(client=client):
            pass
    assert len(receiver.got) == 6
    assert len(peers) == 1
    assert {got.headers["accept-encoding"] for got in receiver.got} == {"identity"}


def test_an_address_that_became_forbidden_is_not_called(
    endpoint: Any, receiver: Any, publish: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webhooks import destinations

    publish()
    monkeypatch.setattr(settings, "EGRESS_ALLOW", frozenset())
    destinations.policy.cache_clear()
    send()
    assert receiver.got == []
    assert rows(ONE)[0]["last_error"] == "url_blocked"


def test_a_name_that_leads_inside_later_is_not_called(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    from egress.facade import Client
    from webhooks.destinations import policy

    _move(alice, endpoint, "https://hooks.example.com/x")
    publish()
    dispatch_events()
    with Client(policy(), resolver=lambda host, port: ["127.0.0.1"]) as client:
        deliver_due(client=client)
    assert rows(ONE)[0]["last_error"] == "url_blocked"
    assert receiver.got == []


def test_plain_http_is_for_the_development_receivers_only(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    from egress.facade import connect_count

    _move(alice, endpoint, "http://8.8.8.8/x")
    dials = connect_count()
    publish()
    send()
    assert rows(ONE)[0]["last_error"] == "url_blocked"
    assert connect_count() == dials


def test_secrets_and_urls_are_in_no_row_log_or_error(
    alice: Any, endpoint: Any, receivers: Any, receiver: Any, publish: Any, rows: Any, capfd: Any, caplog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from webhooks import posting

    closed = receivers()
    closed.close()
    create_endpoint(alice.caller, url=closed.url, event_types=["*"])
    receiver.reply.status = 500
    publish()
    send()
    monkeypatch.setattr(posting.signing, "headers", _explode)
    publish()
    send()
    tables = ("webhook_endpoint", "delivery", "delivery_attempt", "outbox_event", "audit_entry")
    stored = "".join(str(rows(f"SELECT t::text FROM {table} t")) for table in tables)
    heard = capfd.readouterr()
    logged = heard.out + heard.err + caplog.text
    assert {row["error"] for row in rows(ATTEMPTS)} == {"http_status", "connect_failed", "sender_error"}
    for canary in (endpoint.secret, endpoint.secret.removeprefix("whsec_"), "url-canary"):
        assert canary not in stored
        assert canary not in logged
    assert endpoint.secret not in repr(endpoint)


def _move(person: Any, endpoint: Any, url: str) -> None:
    """As if the URL had been saved when it was still allowed."""
    from tenants.facade import tenant_context
    from webhooks.endpoints.models import WebhookTarget

    with tenant_context(person.tenant):
        WebhookTarget.objects.filter(pk=endpoint.id).update(url=url)


def _explode(*_: Any, **given: Any) -> None:
    raise RuntimeError(f"{given['secrets']} url-canary")
