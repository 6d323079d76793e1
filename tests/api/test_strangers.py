"""Charlie asks for Alice's things by their ids, on every route that takes one, and learns nothing.

The routes come from the OpenAPI document: a new one fails here until it has a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, create_upload, tenant_uuid, transcribe, without_id
from tests.api.conftest import FileServer
from workers.embedded.home import Home

JSON = dict[str, Any]
# Each id parameter, and what a body needs so that nothing but the id can be wrong.
PARAMETERS = {
    "credential_id",
    "upload_id", "transcription_id", "speech_id", "endpoint_id", "replay_id", "event_id", "delivery_id", "alias_name",
    "entry_id", "destination_id", "statement_id", "key_id", "member_id",
}  # fmt: skip
BODIES: dict[str, JSON] = {
    "PATCH /v1/webhook-endpoints/{endpoint_id}": {"description": "mine now"},
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": {"overlap_hours": 0},
    "POST /v1/webhook-endpoints/{endpoint_id}/recover": {"since": "2026-01-01T00:00:00Z"},
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": {
        "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dry_run": True,
    },
    "PATCH /v1/voices/aliases/{alias_name}": {"voice": "simulated/sejong"},
    "PATCH /v1/dictionary/{entry_id}": {"say_as": "mine now"},
    "PATCH /v1/api-keys/{key_id}": {"name": "mine now"},
    "POST /v1/api-keys/{key_id}/rotate": {"overlap_hours": 0},
    "PATCH /v1/members/{member_id}": {"role": "viewer"},
    "POST /v1/provider-credentials/{credential_id}/rotate": {"secret": "mine-from-now-on"},
}  # fmt: skip
ROUTES = {
    "GET /v1/uploads/{upload_id}",
    "POST /v1/uploads/{upload_id}/resume",
    "POST /v1/uploads/{upload_id}/complete",
    "GET /v1/transcriptions/{transcription_id}",
    "DELETE /v1/transcriptions/{transcription_id}",
    "GET /v1/transcriptions/{transcription_id}/stream",
    "GET /v1/transcriptions/{transcription_id}/transcript",
    "GET /v1/transcriptions/{transcription_id}/raw",
    "POST /v1/transcriptions/{transcription_id}/cancel",
    "GET /v1/speech/{speech_id}",
    "GET /v1/speech/{speech_id}/audio",
    "GET /v1/speech/{speech_id}/timings",
    "GET /v1/speech/{speech_id}/captions",
    "DELETE /v1/speech/{speech_id}",
    "POST /v1/speech/{speech_id}/cancel",
    "POST /v1/webhook-endpoints/{endpoint_id}/recover",
    "POST /v1/webhook-endpoints/{endpoint_id}/replay",
    "GET /v1/webhook-endpoints/{endpoint_id}/replays",
    "GET /v1/webhook-endpoints/{endpoint_id}/replays/{replay_id}",
    "POST /v1/webhook-endpoints/{endpoint_id}/replays/{replay_id}/cancel",
    "GET /v1/voices/aliases/{alias_name}",
    "PATCH /v1/voices/aliases/{alias_name}",
    "DELETE /v1/voices/aliases/{alias_name}",
    "GET /v1/dictionary/{entry_id}",
    "PATCH /v1/dictionary/{entry_id}",
    "DELETE /v1/dictionary/{entry_id}",
    "GET /v1/provider-credentials/{credential_id}",
    "POST /v1/provider-credentials/{credential_id}/rotate",
    "POST /v1/provider-credentials/{credential_id}/check",
    "DELETE /v1/provider-credentials/{credential_id}",
    "GET /v1/destinations/{destination_id}",
    "POST /v1/destinations/{destination_id}/verify",
    "DELETE /v1/destinations/{destination_id}",
    "GET /v1/webhook-endpoints/{endpoint_id}",
    "PATCH /v1/webhook-endpoints/{endpoint_id}",
    "DELETE /v1/webhook-endpoints/{endpoint_id}",
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret",
    "POST /v1/webhook-endpoints/{endpoint_id}/test",
    "GET /v1/events/{event_id}",
    "GET /v1/deliveries/{delivery_id}",
    "POST /v1/deliveries/{delivery_id}/resend",
    "GET /v1/statements/{statement_id}",
    "GET /v1/statements/{statement_id}/entries",
    "GET /v1/statements/{statement_id}/export",
    "GET /v1/api-keys/{key_id}",
    "PATCH /v1/api-keys/{key_id}",
    "POST /v1/api-keys/{key_id}/rotate",
    "POST /v1/api-keys/{key_id}/revoke",
    "GET /v1/members/{member_id}",
    "PATCH /v1/members/{member_id}",
    "POST /v1/members/{member_id}/invite",
    "DELETE /v1/members/{member_id}",
    # Ids in a query.
    "GET /v1/deliveries?endpoint_id={endpoint_id}",
    "GET /v1/deliveries?event_id={event_id}",
}
# The operator's: a tenant's key is told so before anything is looked up.
OPERATORS = {
    "GET /v1/admin/tenants/{tenant_id}",
    "POST /v1/admin/tenants/{tenant_id}/suspend",
    "POST /v1/admin/tenants/{tenant_id}/resume",
    "POST /v1/admin/tenants/{tenant_id}/close",
}
NOBODYS = {"GET /v1/models/{model}"}  # the installation's catalogue, the same for everybody


@pytest.fixture(scope="module")
def ids_of_alice(stack: Stack, alice_http: Tenant, file_server: FileServer, clip: bytes) -> dict[str, str]:
    """One thing of each kind that is Alice's."""
    client = alice_http.live
    endpoint = client.post(
        "/v1/webhook-endpoints", json={"url": f"{file_server.url}/hook", "event_types": ["*"]}
    ).json()["id"]
    made = transcribe(client, clip)["id"]
    client.post(f"/v1/webhook-endpoints/{endpoint}/test")
    delivery = _until(lambda: client.get("/v1/deliveries", params={"endpoint_id": endpoint}).json()["data"])
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    replay = client.post(f"/v1/webhook-endpoints/{endpoint}/replay", json=span).json()["id"]
    return {
        "credential_id": _credential_of(stack, alice_http),
        "upload_id": create_upload(client, size_bytes=5)["id"],
        "transcription_id": made,
        "replay_id": replay,
        "endpoint_id": endpoint,
        "event_id": delivery[0]["event_id"],
        "delivery_id": delivery[0]["id"],
        "statement_id": _bill(stack, alice_http),
        "key_id": client.post("/v1/api-keys", json={"scopes": ["usage:read"]}).json()["id"],
        "member_id": client.post("/v1/members", json={"email": "al@ice.example", "role": "owner"}).json()["id"],
        **_spoken_things(client),
    }


def _bill(stack: Stack, someone: Tenant) -> str:
    """An approved statement of a month long ago."""
    made = json.loads(stack.parlance("billing", "statement", "draft", someone.id, "2001-01", "--json"))["id"]
    stack.parlance("billing", "close", "2001-01")
    stack.parlance("billing", "statement", "step", "review", made, "--by", "ann")
    stack.parlance("billing", "statement", "step", "approve", made, "--by", "ben")
    return str(made)


def _spoken_things(client: httpx.Client) -> dict[str, str]:
    """A speech job, a name of a voice, a word of the dictionary and a bucket."""
    spoken = client.post("/v1/speech", json={"text": "mine alone", "engine": "simulated", "timings": "word"})
    alias = {"name": "narrator-of-alice", "voice": "simulated/ada"}
    entry = {"language": "en", "term": "word-of-alice", "say_as": "hers"}
    bucket = {"bucket": "of-alice", "region": "us-east-1", "role_arn": "arn:aws:iam::123456789012:role/alice"}
    return {
        "speech_id": spoken.headers["location"].rpartition("/")[2],
        "alias_name": client.post("/v1/voices/aliases", json=alias).json()["name"],
        "entry_id": client.post("/v1/dictionary", json=entry).json()["id"],
        "destination_id": client.post("/v1/destinations", json=bucket).json()["id"],
    }


def _credential_of(stack: Stack, tenant: Tenant) -> str:
    """Own credentials as a row: no provider is here to accept them."""
    from apikit import ids

    row_id, schema = ids.new_id(), f"t_{tenant_uuid(tenant).hex}"
    with psycopg.connect(Home(stack.home).state()["env"]["DATABASE_OWNER_URL"]) as connection:
        connection.execute(
            f"""INSERT INTO "{schema}".provider_credential (id, livemode, provider, region, name, secret, last4,
             checked_at, failing_code, created_at, updated_at)
             VALUES (%s, true, 'deepgram', '', '', '', '', now(), '', now(), now())""",
            [row_id],
        )
    return ids.show(ids.PROVIDER_CREDENTIAL, row_id)


def _until(read: Callable[[], list[JSON]]) -> list[JSON]:
    for _ in range(2_000):
        if found := read():
            return found
    raise AssertionError("nothing was delivered")


def _ids_in(document: JSON) -> set[str]:
    routes = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method.upper()} {path}"
            if "{" in path:
                routes.add(where)
            names = [given["name"] for given in operation["parameters"] if given["in"] == "query"]
            routes |= {f"{where}?{name}={{{name}}}" for name in names if name.endswith("_id")}
    return routes


def _random(shown: str) -> str:
    """An id of the same kind that nobody has."""
    return shown[:-8] + "0" * 8


def _call(client: httpx.Client, route: str, ids: dict[str, str]) -> httpx.Response:
    method, _, path = route.partition(" ")
    return client.request(method, path.format(**ids), json=BODIES.get(route))


def test_every_route_with_an_id_has_its_row(stack: Stack, nobody_http: httpx.Client) -> None:
    document = nobody_http.get("/openapi.json").json()
    assert _ids_in(document) == ROUTES | OPERATORS | NOBODYS
    assert set(re.findall(r"{(\w+)}", " ".join(ROUTES))) == PARAMETERS


@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.parametrize("key", ["live", "test"])
def test_charlie_cannot_tell_alices_ids_from_none(
    alice_http: Tenant, charlie_http: Tenant, ids_of_alice: dict[str, str], route: str, key: str
) -> None:
    nothing = {name: _random(shown) for name, shown in ids_of_alice.items()}
    client = charlie_http.live if key == "live" else charlie_http.test
    theirs, none = _call(client, route, ids_of_alice), _call(client, route, nothing)
    assert without_id(theirs) == without_id(none)
    if "?" not in route:
        check_problem(theirs, 404, "not_found")
    assert _call(alice_http.test, route, ids_of_alice).status_code == _call(alice_http.test, route, nothing).status_code


@pytest.mark.parametrize("route", [*sorted(OPERATORS), "GET /v1/admin/tenants", "POST /v1/admin/tenants"])
def test_no_tenants_key_opens_what_is_the_operators(alice_http: Tenant, charlie_http: Tenant, route: str) -> None:
    for client in (charlie_http.live, charlie_http.test, alice_http.live):
        theirs, none = (_call(client, route, {"tenant_id": one}) for one in (alice_http.id, _random(alice_http.id)))
        assert without_id(theirs) == without_id(none)
        check_problem(theirs, 403, "wrong_key_kind")


def test_alice_still_has_everything(alice_http: Tenant, ids_of_alice: dict[str, str]) -> None:
    """The rows above could have refused for a wrong reason, or changed something on the way."""
    for route in sorted(ROUTES):
        if route.startswith("GET"):
            assert _call(alice_http.live, route, ids_of_alice).status_code == 200, route
    endpoint = alice_http.live.get(f"/v1/webhook-endpoints/{ids_of_alice['endpoint_id']}").json()
    assert (endpoint["description"], endpoint["previous_secret_expires_at"]) == ("", None)


def test_lists_hold_nothing_of_others(alice_http: Tenant, stack: Stack, ids_of_alice: dict[str, str]) -> None:
    newcomer = stack.tenant("newcomer")
    for path in ("/v1/transcriptions", "/v1/webhook-endpoints", "/v1/events", "/v1/deliveries", "/v1/usage"):
        for client in (newcomer.live, newcomer.test):
            assert client.get(path).json()["data"] == []
