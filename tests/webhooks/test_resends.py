"""One more attempt by hand: now, also on a disabled endpoint, and without a word about its health."""

from __future__ import annotations

from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.webhooks.steps import ATTEMPTS, ONE, claim, send, shown
from webhooks.facade import deliver_due
from webhooks.services import EndpointChange, change_endpoint, resend


def test_a_resend_is_one_more_attempt_also_on_a_disabled_endpoint(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    publish()
    send()
    change_endpoint(alice.caller, endpoint.id, change=EndpointChange(enabled=False))
    [row] = rows(ONE)
    assert resend(alice.caller, row["id"])
    receiver.reply.status = 500
    assert deliver_due() == 1
    assert [one.id for one in receiver.got] == [receiver.got[0].id] * 2
    [row] = rows(ONE)
    assert (row["state"], row["attempt"], row["next_attempt_at"]) == ("failed", 2, None)
    assert [attempt["manual"] for attempt in rows(ATTEMPTS)] == [False, True]
    assert rows("SELECT consecutive_failures FROM webhook_endpoint") == [{"consecutive_failures": 0}]
    assert resend(alice.caller, row["id"])
    receiver.reply.status = 200
    assert deliver_due() == 1
    assert rows(ONE)[0]["state"] == "delivered"


def test_a_resend_is_signed_with_the_secret_of_today(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, http: Any, rows: Any
) -> None:
    publish()
    send()
    path = f"/v1/webhook-endpoints/{shown(endpoint)}/rotate-secret"
    secret = http(alice, "POST", path, {"overlap_hours": 0})[1]["secret"]
    resend(alice.caller, rows(ONE)[0]["id"])
    deliver_due()
    first, second = receiver.got
    assert first.id == second.id
    Webhook(secret).verify(second.body, second.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(second.body, second.headers)


def test_a_resend_of_a_waiting_delivery_does_not_use_up_its_schedule(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any
) -> None:
    receiver.reply.status = 500
    publish()
    send()
    before = rows(ONE)[0]
    resend(alice.caller, before["id"])
    deliver_due()
    after = rows(ONE)[0]
    assert (after["state"], after["attempts_left"]) == ("pending", before["attempts_left"])


def test_a_resend_survives_a_killed_sender(
    alice: Any, endpoint: Any, receiver: Any, publish: Any, rows: Any, rewind: Any
) -> None:
    publish()
    send()
    resend(alice.caller, rows(ONE)[0]["id"])
    assert len(claim()) == 1
    rewind()
    assert deliver_due() == 1
    assert rows(ONE)[0]["state"] == "delivered"
    assert len(receiver.got) == 2
