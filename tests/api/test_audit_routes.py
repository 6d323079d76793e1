"""Every route that changes something leaves a row of the audit log: who, from where, before and after.

The routes come from the OpenAPI document: a new one fails here until it is in one of the three lists.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from stack import Stack, Tenant

from tests.api.calls import order, transcribe
from tests.api.conftest import FileServer

JSON = dict[str, Any]
SPAN: Final = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
# In this order: each may use the ids that earlier ones gave.
CHANGES: Final[list[tuple[str, JSON | None]]] = [
    ("POST /v1/api-keys", {"scopes": ["usage:read"]}),
    ("PATCH /v1/api-keys/{api_key}", {"name": "other"}),
    ("POST /v1/api-keys/{api_key}/rotate", {"overlap_hours": 1}),
    ("POST /v1/api-keys/{api_key}/revoke", None),
    ("POST /v1/members", {"email": "dev@example.com", "role": "developer"}),
    ("PATCH /v1/members/{member}", {"role": "viewer"}),
    ("POST /v1/members/{member}/invite", None),
    ("DELETE /v1/members/{member}", None),
    ("PUT /v1/upload-origins", {"origins": ["https://app.example.com"]}),
    ("PUT /v1/content-policy", {"deny_terms": ["heck"]}),
    ("POST /v1/voices/aliases", {"name": "narrator", "voice": "simulated/ada"}),
    ("PATCH /v1/voices/aliases/narrator", {"voice": "simulated/sejong"}),
    ("DELETE /v1/voices/aliases/narrator", None),
    ("POST /v1/dictionary", {"language": "en", "term": "SQL", "say_as": "sequel"}),
    ("PATCH /v1/dictionary/{dictionary_entry}", {"say_as": "S Q L"}),
    ("DELETE /v1/dictionary/{dictionary_entry}", None),
    (
        "POST /v1/destinations",
        {"bucket": "of-mine", "region": "us-east-1", "role_arn": "arn:aws:iam::123456789012:role/mine"},
    ),
    ("DELETE /v1/destinations/{destination}", None),
    ("POST /v1/webhook-endpoints", {"url": "{receiver}/hook", "event_types": ["*"]}),
    ("PATCH /v1/webhook-endpoints/{webhook_endpoint}", {"description": "other"}),
    ("POST /v1/webhook-endpoints/{webhook_endpoint}/rotate-secret", {"overlap_hours": 0}),
    ("POST /v1/webhook-endpoints/job-secret/rotate", {"overlap_hours": 0}),
    ("POST /v1/webhook-endpoints/{webhook_endpoint}/test", None),
    ("POST /v1/deliveries/{delivery}/resend", None),
    ("POST /v1/webhook-endpoints/{webhook_endpoint}/replay", SPAN),
    ("POST /v1/webhook-endpoints/{webhook_endpoint}/recover", {"since": SPAN["from"]}),
    ("DELETE /v1/webhook-endpoints/{webhook_endpoint}", None),
    ("POST /v1/transcriptions/{slow}/cancel", None),
    ("DELETE /v1/transcriptions/{transcription}", None),
    ("POST /v1/speech/{slow_speech}/cancel", None),
    ("DELETE /v1/speech/{slow_speech}", None),
]
# These use the service. What they make is in the register of jobs with the key that asked for it, and on the bill.
USES: Final = {
    "POST /v1/transcriptions", "POST /v1/audio/transcriptions", "POST /v1/audio/translations", "POST /v1/audio/speech",
    "POST /v1/speech", "POST /v1/uploads", "POST /v1/uploads/{}/resume", "POST /v1/uploads/{}/complete",
}  # fmt: skip
# These need somebody outside, or a moment that does not last: shown where both are at hand.
ELSEWHERE: Final = {
    "POST /v1/destinations/{}/verify": ("api/test_destinations.py", "destination.verified"),
    "POST /v1/provider-credentials": ("cloud/test_own_credentials.py", "provider_credential.created"),
    "POST /v1/provider-credentials/{}/rotate": ("cloud/test_own_credentials.py", "provider_credential.rotated"),
    "POST /v1/provider-credentials/{}/check": ("cloud/test_own_credentials.py", "provider_credential.checked"),
    "DELETE /v1/provider-credentials/{}": ("cloud/test_own_credentials.py", "provider_credential.deleted"),
    "POST /v1/webhook-endpoints/{}/replays/{}/cancel": ("webhooks/test_replay.py", "webhook_endpoint.replay_canceled"),
    "POST /v1/admin/tenants": ("api/test_admin.py", "tenant.created"),
    "POST /v1/admin/tenants/{}/suspend": ("api/test_admin.py", "tenant.suspended"),
    "POST /v1/admin/tenants/{}/resume": ("api/test_admin.py", "tenant.resumed"),
    "POST /v1/admin/tenants/{}/close": ("api/test_admin.py", "tenant.closed"),
    "POST /v1/billing/checkout": ("collecting/test_webhook.py", "billing.checkout_started"),
    "POST /v1/billing/portal": ("collecting/test_webhook.py", "billing.portal_opened"),
}
ONCE_MADE: Final = {"test", "replay", "recover"}  # they start something: there is nothing before it


@pytest.fixture(scope="module")
def ids(stack: Stack, file_server: FileServer, clip: bytes) -> tuple[Tenant, dict[str, str]]:
    """A tenant, and what its changes are about that they do not make themselves."""
    tenant = stack.tenant("audited")
    speech = {"text": "takes its time", "engine": "simulated", "simulate": "slow:60000"}
    slow = tenant.live.post("/v1/speech", json=speech, headers={"Prefer": "respond-async"})
    return tenant, {
        "receiver": file_server.url,
        "transcription": transcribe(tenant.live, clip)["id"],
        "slow": order(tenant.live, clip, simulate="slow:60000").json()["id"],
        "slow_speech": slow.json()["id"],
    }


def test_every_writing_route_is_in_one_list(nobody_http: httpx.Client) -> None:
    paths = nobody_http.get("/openapi.json").json()["paths"]
    writing = {
        f"{method.upper()} {_bare(path)}" for path, found in paths.items() for method in found if method != "get"
    }
    changes = [_bare(route).replace("aliases/narrator", "aliases/{}") for route, _ in CHANGES]
    assert sorted([*changes, *USES, *ELSEWHERE]) == sorted(writing)


@pytest.mark.parametrize(("file", "action"), ELSEWHERE.values())
def test_what_is_shown_elsewhere_is_shown_there(file: str, action: str) -> None:
    assert action in (Path(__file__).parents[1] / file).read_text()


def test_every_change_is_told_with_who_from_where_before_and_after(ids: tuple[Tenant, dict[str, str]]) -> None:
    tenant, known = ids
    mine = tenant.live.get("/v1/api-keys/current").json()["id"]
    for route, body in CHANGES:
        if "{delivery}" in route:
            known["delivery"] = _sent(tenant.live)
        method, _, path = route.partition(" ")
        given = {
            name: value.format(**known) if isinstance(value, str) else value for name, value in (body or {}).items()
        }
        answer = _asked(tenant.live, method, path.format(**known), given if body is not None else None)
        assert answer.is_success, (route, answer.text)
        known.setdefault(answer.json().get("object", ""), answer.json().get("id", ""))
        _check(tenant.live, answer, route=route, actor=mine)


def _asked(client: httpx.Client, method: str, path: str, body: JSON | None) -> httpx.Response:
    """The answer, once the replay before is over."""
    for _ in range(2_000):
        answer = client.request(method, path, json=body)
        if answer.status_code != 409:
            break
    return answer


def _check(client: httpx.Client, answer: httpx.Response, *, route: str, actor: str) -> None:
    rows = client.get("/v1/audit-log", params={"limit": 20}).json()["data"]
    told = [row for row in rows if row["request_id"] == answer.headers["request-id"]]
    assert told, f"{route} left no row"
    for row in told:
        assert row["actor"] == {"type": "api_key", "id": actor}, route
        assert (row["address"], row["livemode"]) == ("127.0.0.1", True), route
        assert row["user_agent"].startswith("python-httpx/"), route
    makes = route.startswith("POST ") and (route.count("/") == 2 or "aliases" in route)
    if not (makes or route.rpartition("/")[2] in ONCE_MADE):
        assert any(row["before"] for row in told), f"{route} does not tell what was before"
    if not route.startswith("DELETE "):
        assert any(row["after"] for row in told), f"{route} does not tell what is after"


def _sent(client: httpx.Client) -> str:
    """A delivery that nobody is sending now."""
    return _until(lambda: [row for row in client.get("/v1/deliveries").json()["data"] if row["state"] == "delivered"])


def _until(read: Callable[[], list[JSON]]) -> str:
    for _ in range(2_000):
        if found := read():
            return str(found[0]["id"])
    raise AssertionError("nothing was delivered")


def _bare(route: str) -> str:
    parts = ["{}" if part.startswith("{") else part for part in route.split("/")]
    return "/".join(parts)
