"""Our signatures against the official library."""

from __future__ import annotations

import doctest
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks import event_types, schedule, shares, shown, signing

BODY = '{"type":"transcription.completed","data":{"name":"회의"}}'.encode()


@pytest.mark.parametrize("module", [event_types, schedule, shares, shown, signing])
def test_the_examples_in_the_pure_modules_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_the_official_library_accepts_ours() -> None:
    secret = signing.new_secret()
    sent = signing.headers(BODY, message_id="evt_1", timestamp=int(time.time()), secrets=[secret])
    assert Webhook(secret).verify(BODY, sent)["type"] == "transcription.completed"


def test_both_secrets_verify_during_a_rotation_and_a_third_does_not() -> None:
    new, old = signing.new_secret(), signing.new_secret()
    sent = signing.headers(BODY, message_id="evt_1", timestamp=int(time.time()), secrets=[new, old])
    Webhook(new).verify(BODY, sent)
    Webhook(old).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, sent)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_whatever_is_changed_on_the_way_is_refused(header: str) -> None:
    secret = signing.new_secret()
    sent = signing.headers(BODY, message_id="evt_1", timestamp=int(time.time()), secrets=[secret])
    body = BODY.replace(b"completed", b"failed") if header == "body" else BODY
    changed = {"webhook-id": "evt_2", "webhook-timestamp": str(int(time.time()) - 1), "webhook-signature": "v1,AAAA"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, sent | ({header: changed[header]} if header in changed else {}))


def test_an_old_delivery_is_refused() -> None:
    secret = signing.new_secret()
    sent = signing.headers(BODY, message_id="evt_1", timestamp=int(time.time()) - 600, secrets=[secret])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, sent)


def test_an_id_with_a_dot_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="dot"):
        signing.sign(BODY, message_id="evt.1", timestamp=1, secret=signing.new_secret())
