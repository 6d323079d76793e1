"""Our signatures against the official library."""

from __future__ import annotations

import doctest
import time
from base64 import b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from events import bodies
from webhooks import event_types, own_headers, schedule, shares, shown, signing, texts

BODY = '{"type":"transcription.completed","data":{"name":"회의"}}'.encode()


@pytest.mark.parametrize("module", [bodies, event_types, own_headers, schedule, shares, shown, signing, texts])
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


# The vector that servers of other makers test their v1a with (svix-server, `test_asymmetric_key_signing`).
VECTOR_KEY = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
VECTOR_SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def verify_v1a(body: bytes, sent: dict[str, str], *, public_key: str) -> None:
    """As a receiver does it that has nothing of ours but the public key; raises `InvalidSignature`."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key.removeprefix("whpk_")))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    given = [part.removeprefix("v1a,") for part in sent["webhook-signature"].split() if part.startswith("v1a,")]
    for signature in given:
        try:
            return key.verify(b64decode(signature), signed)
        except InvalidSignature:
            continue
    raise InvalidSignature


def test_an_asymmetric_signature_is_the_one_that_others_make() -> None:
    body, message_id = b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek"
    made = signing.sign_v1a(body, message_id=message_id, timestamp=1614265330, signing_key=VECTOR_KEY)
    assert made == VECTOR_SIGNATURE
    assert signing.public_key(VECTOR_KEY) == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


def test_one_header_holds_both_kinds_and_every_receiver_finds_its_own() -> None:
    new, old = signing.new_secret(), signing.new_secret()
    new_key, old_key = signing.new_signing_key(), signing.new_signing_key()
    sent = signing.headers(
        BODY, message_id="evt_1", timestamp=int(time.time()), secrets=[new, old], signing_keys=[new_key, old_key]
    )
    assert [part.partition(",")[0] for part in sent["webhook-signature"].split()] == ["v1", "v1", "v1a", "v1a"]
    for secret in (new, old):
        Webhook(secret).verify(BODY, sent)
    for key in (new_key, old_key):
        verify_v1a(BODY, sent, public_key=signing.public_key(key))
    with pytest.raises(InvalidSignature):
        verify_v1a(BODY, sent, public_key=signing.public_key(signing.new_signing_key()))
    with pytest.raises(InvalidSignature):
        verify_v1a(BODY + b" ", sent, public_key=signing.public_key(new_key))
