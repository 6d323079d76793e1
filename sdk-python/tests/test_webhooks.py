"""Webhooks: the specification's vector, typed events, and nothing but one error."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from parlance import WebhookVerificationError, webhooks

SECRET, OTHER = "whsec_" + base64.b64encode(b"s" * 32).decode(), "whsec_" + base64.b64encode(b"o" * 32).decode()
NOW = 1_763_884_800
WALLET = {"object": "wallet", "id": "ten_1", "livemode": True, "balance": "4.5", "held": "1", "currency": "USD"}
THIN = {"type": "wallet.low", "timestamp": "2026-11-23T08:00:00Z", "data": WALLET}


def signed(body: Any = THIN, *, secret: str = SECRET, at: int = NOW) -> tuple[bytes, dict[str, str]]:
    raw = json.dumps(body).encode()
    return raw, webhooks.sign(raw, secret=secret, event_id="evt_1", timestamp=at)


def test_the_specifications_vector_verifies() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    found = webhooks.verify(b'{"test": 2432232314}', headers, secret=secret, now=1614265330)
    assert found == headers["webhook-id"]


def test_it_gives_a_typed_event() -> None:
    body, headers = signed()
    event = webhooks.unwrap(body, headers, secret=SECRET, now=NOW)
    assert isinstance(event, webhooks.WalletLowEvent)
    assert (event.id, event.type, event.data.balance) == ("evt_1", "wallet.low", Decimal("4.5"))


@pytest.mark.parametrize("body", [THIN | {"type": "moon.risen"}, THIN | {"type": "transcription.completed"}])
def test_what_it_does_not_know_is_an_unknown_event(body: Any) -> None:
    event = webhooks.unwrap(*signed(body), secret=SECRET, now=NOW)
    assert isinstance(event, webhooks.UnknownEvent)
    assert event.data == WALLET


def test_one_of_several_secrets_is_enough_in_any_order_and_case() -> None:
    body, headers = signed()
    upper = {name.upper(): value for name, value in headers.items()}
    for secrets in ([SECRET, OTHER], [OTHER, SECRET], (SECRET,)):
        webhooks.unwrap(body, upper, secret=secrets, now=NOW)
    both = headers | {"webhook-signature": f"junk v2,x v1,AAAA {headers['webhook-signature']}"}
    webhooks.unwrap(body, both, secret=SECRET, now=NOW)


def test_a_public_key_verifies_v1a() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    body, headers = signed(secret=OTHER)
    signature = base64.b64encode(key.sign(f"evt_1.{NOW}.".encode() + body)).decode()
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    both = headers | {"webhook-signature": f"{headers['webhook-signature']} v1a,{signature}"}
    assert webhooks.unwrap(body, both, secret=public, now=NOW).id == "evt_1"
    with pytest.raises(WebhookVerificationError):
        webhooks.unwrap(body + b" ", both, secret=public, now=NOW)
    with pytest.raises(WebhookVerificationError):
        webhooks.unwrap(body, headers, secret=public, now=NOW)


def _refused(body: Any, headers: Any, secret: Any = SECRET, **more: Any) -> None:
    with pytest.raises(WebhookVerificationError):
        webhooks.unwrap(body, headers, secret=secret, now=NOW, **more)


def test_forgeries_are_refused() -> None:
    body, headers = signed()
    _refused(body + b" ", headers)
    _refused(body, headers, OTHER)
    _refused(body, headers, [])
    _refused(body, headers | {"webhook-id": "evt_2"})
    _refused(body, headers | {"webhook-timestamp": str(NOW + 1)})
    for name in headers:
        _refused(body, {key: value for key, value in headers.items() if key != name})
    for junk in ("", "v1", "v1,", ",", "v1a,xyz", "v1,\udcff", "é", "v1," + "A" * 100_000):
        _refused(body, headers | {"webhook-signature": junk})
    for wrong in ("whsec_%%%", "whsec_é", "whpk_AAAA", "whpk_!"):
        _refused(body, headers, wrong)


@pytest.mark.parametrize("secret", ["", "whsec_", [SECRET, ""], None, b"whsec_", [None], 3])
def test_nobody_is_trusted_without_a_secret(secret: Any) -> None:
    body, _ = signed()
    _refused(body, webhooks.sign(body, secret="", event_id="evt_1", timestamp=NOW), secret)
    _refused(*signed(), secret)


@pytest.mark.parametrize("body", [None, 5, THIN, "\ud800"])
def test_what_is_no_body_is_refused(body: Any) -> None:
    _refused(body, signed()[1])
    _refused(signed()[0], body)


def test_no_time_is_near_to_one_that_is_no_number() -> None:
    body, headers = signed()
    for wrong in ({"now": float("nan")}, {"now": NOW, "tolerance_s": float("nan")}):
        with pytest.raises(WebhookVerificationError):
            webhooks.unwrap(body, headers, secret=SECRET, **wrong)


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_old_and_future_ones_are_refused_by_the_tolerance_given(at: int) -> None:
    body, headers = signed(at=at)
    _refused(body, headers)
    assert webhooks.unwrap(body, headers, secret=SECRET, now=NOW, tolerance_s=302)
    _refused(body, headers | {"webhook-timestamp": "soon"})
    _refused(body, headers | {"webhook-timestamp": "9" * 40})


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"null", b"{}", b'{"type": []}', b"[" * 100_000, b'{"type":"x"}'])
def test_a_signed_body_that_is_no_event_is_refused(raw: bytes) -> None:
    _refused(raw, webhooks.sign(raw, secret=SECRET, event_id="e", timestamp=NOW))


@given(
    body=st.binary(), name=st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), value=st.text()
)
def test_whatever_comes_only_its_own_error_goes_out(body: bytes, name: str, value: str) -> None:
    _, headers = signed()
    with pytest.raises(WebhookVerificationError):
        webhooks.unwrap(body, headers | {name: value}, secret=SECRET, now=NOW)


@pytest.mark.parametrize("kind", webhooks.EVENTS.values(), ids=list(webhooks.EVENTS))
def test_every_event_has_a_shape_that_can_be_built(kind: Any) -> None:
    assert kind.model_rebuild(force=True)
    for data in getattr(kind.model_fields["data"].annotation, "__args__", [kind.model_fields["data"].annotation]):
        assert "omitted" in data.model_fields or {"object", "id", "livemode"} <= data.model_fields.keys()
