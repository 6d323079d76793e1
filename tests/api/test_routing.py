"""Routing over HTTP: what an order, a key and a tenant want of engines, and the answer that explains the choice."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import DefaultHttpxClient, OpenAI
from stack import Stack, Tenant

from tests.api.calls import check_problem, ended, order, transcribe, upload


def test_the_answer_tells_which_engine_why_and_what_was_passed_over(alice_http: Tenant, clip: bytes) -> None:
    asked = {"upload_id": upload(alice_http.live, clip), "language": "en", "routing": {"optimize": "cost"}}
    accepted = alice_http.live.post("/v1/transcriptions", json=asked)
    assert accepted.status_code == 202, accepted.text
    routing = ended(alice_http.live, accepted.json()["id"])["routing"]
    assert (routing["engine"], routing["model"], routing["optimize"]) == ("pocketsphinx", "en-us", "cost")
    assert routing["engines"] == ["pocketsphinx"]
    assert routing["reasons"]["pocketsphinx"] == "fits: 0.036 USD an hour"
    assert routing["reasons"]["simulated"] == "simulated engines run only when asked for by name"
    assert routing["policy"] == {"optimize": "cost"}


def test_a_form_takes_it_as_json(alice_http: Tenant, clip: bytes) -> None:
    done = transcribe(alice_http.live, clip, routing=json.dumps({"local_only": True, "fallbacks": 0, "hedge": True}))
    assert done["routing"]["policy"] == {"local_only": True, "fallbacks": 0, "hedge": True}
    refused = check_problem(order(alice_http.live, clip, routing="cheap"), status=422, code="invalid_request")
    assert refused["errors"][0]["field"] == "routing"


@pytest.mark.parametrize(
    ("routing", "code", "field"),
    [
        ({"optimise": "cost"}, "invalid_request", "routing.optimise"),
        ({"optimize": "price"}, "invalid_request", "routing.optimize"),
        ({"deny": ["opnai"]}, "invalid_request", "routing.deny"),
        ({"fallbacks": 11}, "invalid_request", "routing.fallbacks"),
        ({"deny": ["pocketsphinx"]}, "no_engine_allowed", "routing"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    alice_http: Tenant, clip: bytes, routing: dict[str, Any], code: str, field: str
) -> None:
    body = {"upload_id": upload(alice_http.live, clip), "routing": routing}
    refused = check_problem(alice_http.live.post("/v1/transcriptions", json=body), status=422, code=code)
    assert [error["field"] for error in refused["errors"]] == [field]


def test_a_key_and_a_tenant_may_forbid_what_an_order_would_take(stack: Stack, clip: bytes) -> None:
    tenant = stack.tenant("strict")
    stack.parlance("tenant", "set", tenant.id, "--deny", "openai", "--json")
    key = json.loads(stack.parlance("key", "create", tenant.id, "--allow", "pocketsphinx", "--json"))["api_key"]
    strict = stack.client(key)
    done = transcribe(strict, clip, engine="pocketsphinx")
    assert done["routing"]["policy"] == {"allow": ["pocketsphinx"], "deny": ["openai"]}
    refused = order(strict, clip, routing=json.dumps({"allow": ["simulated"]}))
    check_problem(refused, status=422, code="no_engine_allowed")


def test_openais_sdk_sends_it_as_an_extension(stack: Stack, alice_http: Tenant, clip: bytes) -> None:
    with OpenAI(
        api_key=alice_http.api_key, base_url=f"{stack.url}/v1", max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False),
    ) as client:  # fmt: skip
        wanted = {"deny": ["openai", "deepgram"], "optimize": "latency", "local_only": True}
        answer: Any = client.audio.transcriptions.create(
            file=("a.wav", clip), model="whisper-1", language="en", extra_body={"routing": wanted}
        )
        assert answer.x_parlance["routing"]["policy"] == wanted
        assert answer.x_parlance["routing"]["optimize"] == "latency"
        with pytest.raises(openai.BadRequestError, match="There is no engine opnai"):
            client.audio.transcriptions.create(
                file=("a.wav", clip), model="whisper-1", extra_body={"routing": {"deny": ["opnai"]}}
            )


def test_an_operators_edit_of_the_catalogue_is_in_force_everywhere(stack: Stack, alice_http: Tenant) -> None:
    listed = json.loads(stack.parlance("engines", "list", "--all", "--json"))["data"]
    whisper = next(row for row in listed if row["id"] == "openai/whisper-1")
    assert (whisper["shutdown"], whisper["replacement"]) == ("2027-02-26", "openai/gpt-transcribe")
    added = json.loads(stack.parlance("engines", "add", "simulated/simulated-0", "--shutdown", "2026-01-31",
                                      "--replacement", "simulated/simulated-1", "--json"))  # fmt: skip
    assert added["shutdown"] == "2026-01-31"
    models = _models_once_there(alice_http, "simulated/simulated-0")
    assert models["simulated/simulated-0"]["is_offered"] is False
    assert models["simulated/simulated-1"]["is_offered"] is True
    body = {"upload_id": "upl_00000000000000000000000001", "engine": "simulated", "model": "simulated-0"}
    refused = alice_http.live.post("/v1/transcriptions", json=body)
    check_problem(refused, status=422, code="model_shut_down")
    assert "Use simulated/simulated-1 instead." in refused.json()["detail"]
    assert "reset" in stack.parlance("engines", "set", "simulated/simulated-0", "--reset")


def _models_once_there(tenant: Tenant, name: str) -> dict[str, Any]:
    """What /v1/engines shows once every process has read the edit; in seconds here (PARLANCE_CATALOGUE_S)."""
    for _ in range(200):
        engines = tenant.live.get("/v1/engines").json()["data"]
        models = {model["id"]: model for engine in engines for model in engine["models"]}
        if name in models:
            return models
    raise AssertionError("the edit never came")


def test_engines_show_their_health_and_where_they_run(alice_http: Tenant) -> None:
    engines = {engine["id"]: engine for engine in alice_http.live.get("/v1/engines").json()["data"]}
    assert engines["pocketsphinx"]["health"] == {"status": "available", "retry_after_s": None}
    assert engines["pocketsphinx"]["region"] is None
