"""Public keys without an API key: what verifies an endpoint's asymmetric signatures, and nothing else about it."""

from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64decode
from typing import Any

import pytest
from stack import Stack

from apikit import ids
from apikit.facade import Problem
from webhooks.public_keys import PATH, key_set

ENDPOINTS = "/v1/webhook-endpoints"


def make(http: Any, person: Any, receiver: Any, **settings: Any) -> Any:
    return http(person, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*"], **settings})[1]


def shown(jwk: dict[str, str]) -> str:
    return "whpk_" + b64encode(urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))).decode()


def test_the_key_set_holds_the_endpoints_key(alice: Any, receiver: Any, http: Any) -> None:
    made = make(http, alice, receiver, signature="v1+v1a")
    [key] = key_set(made["id"])["keys"]
    assert shown(key) == made["public_key"]
    assert {name: key[name] for name in ("kty", "crv", "use", "alg")} == {
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
    }  # fmt: skip
    assert key.keys() == {"kty", "crv", "use", "alg", "kid", "x"}


def test_during_a_rotation_both_keys_are_there_and_then_the_new_one(
    alice: Any, receiver: Any, http: Any, rows: Any
) -> None:
    made = make(http, alice, receiver, signature="v1+v1a")
    rotated = http(alice, "POST", f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlap_hours": 24})[1]
    assert [shown(key) for key in key_set(made["id"])["keys"]] == [rotated["public_key"], made["public_key"]]
    rows("UPDATE webhook_endpoint SET previous_key_expires_at = now() - interval '1 second' RETURNING id")
    assert [shown(key) for key in key_set(made["id"])["keys"]] == [rotated["public_key"]]


@pytest.mark.parametrize("how", ["no such id", "nonsense", "another kind of id", "v1 only", "v1 again", "deleted"])
def test_what_has_no_keys_is_as_unknown_as_what_is_not_there(alice: Any, receiver: Any, http: Any, how: str) -> None:
    made = make(http, alice, receiver, signature="v1+v1a" if how in {"v1 again", "deleted"} else "v1")
    path = f"{ENDPOINTS}/{made['id']}"
    if how == "v1 again":
        http(alice, "PATCH", path, {"signature": "v1"})
    if how == "deleted":
        http(alice, "DELETE", path)
    other = {"no such id": ids.show(ids.WEBHOOK_ENDPOINT, ids.new_id()), "nonsense": "../x",
             "another kind of id": ids.show(ids.TENANT, alice.id)}  # fmt: skip
    with pytest.raises(Problem) as refused:
        key_set(other.get(how, made["id"]))
    assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_anybody_may_fetch_them_from_the_running_service(stack: Stack) -> None:
    person, nobody = stack.tenant(f"keys {time.time_ns()}"), stack.client(None)
    body = {"url": "https://8.8.8.8/", "event_types": ["statement.ready"], "signature": "v1+v1a"}
    made = person.live.post(ENDPOINTS, json=body).json()
    answer = nobody.get(PATH + made["id"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwk-set+json")
    assert [shown(key) for key in answer.json()["keys"]] == [made["public_key"]]
    assert "max-age" in answer.headers["cache-control"]
    assert made["url"] not in answer.text
    unknown = nobody.get(f"{PATH}whe_{'0' * 26}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    wrong = nobody.post(PATH + made["id"])
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "GET")
