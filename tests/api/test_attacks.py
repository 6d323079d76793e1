"""Attacks that belong to no single route; `docs/security.md` says which test holds each of the others."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from stack import Stack, Tenant

from apikit.front import Front
from dispatch.wakeups import TASK
from tests.api.calls import check_problem, raw, transcribe
from tests.api.media import tone
from workers.embedded.home import Home

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text("utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
JOBS = "/v1/transcriptions"
PLANTED = ("tenant_id", "tenant", "livemode", "status", "cost", "price", "plan", "is_admin", "id", "created")


def _json_bodies() -> Iterator[tuple[str, str, Any]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield method.upper(), path, content["application/json"]["schema"]


def _resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


@pytest.mark.parametrize(("method", "path", "schema"), list(_json_bodies()), ids=lambda value: str(value)[:60])
def test_no_body_takes_a_field_that_is_not_its_own(method: str, path: str, schema: Any) -> None:
    """Mass assignment: a body that would be passed over in silence could one day be taken."""
    assert _resolved(schema)["additionalProperties"] is False


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in _json_bodies() if "{" not in path])
def test_every_planted_field_is_refused_by_name(
    alice_http: Tenant, operator_http: httpx.Client, method: str, path: str
) -> None:
    client = operator_http if path.startswith("/v1/admin/") else alice_http.live
    taken = {field for m, p, schema in _json_bodies() if (m, p) == (method, path)
             for field in _resolved(schema)["properties"]}  # fmt: skip
    answer = client.request(method, path, json=dict.fromkeys(PLANTED, "x"))
    if path.startswith("/v1/audio/"):
        assert answer.status_code == 400, answer.text
        return
    told = {wrong["field"] for wrong in check_problem(answer, 422, "invalid_request")["errors"]}
    assert told >= set(PLANTED) - taken


READ = [
    "/v1/transcriptions", "/v1/speech", "/v1/voices", "/v1/engines", "/v1/usage", "/v1/events", "/v1/deliveries",
    "/v1/webhook-endpoints", "/v1/api-keys", "/v1/audit-log", "/v1/limits", "/v1/prices", "/v1/statements",
]  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_an_answer_has_the_fields_of_its_schema_and_no_others(alice_http: Tenant, clip: bytes, path: str) -> None:
    transcribe(alice_http.live, clip)
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(_unknown(alice_http.live.get(path).json(), schema, at=path)) == []


def _unknown(value: Any, schema: Any, *, at: str) -> Iterator[str]:
    """Every name in the value that no alternative of its schema has."""
    schemas = [_resolved(one) for one in _resolved(schema).get("anyOf", [schema])]
    if isinstance(value, list):
        for item in value:
            for one in schemas:
                if one.get("type") == "array":
                    yield from _unknown(item, one["items"], at=f"{at}[]")
    elif isinstance(value, dict):
        known: dict[str, Any] = {}
        for one in schemas:
            if one.get("additionalProperties"):
                return  # a map whose names are the customer's
            for part in [one, *map(_resolved, one.get("allOf", []))]:
                known |= part.get("properties", {})
        if not known:
            return
        for name, held in value.items():
            if name in known:
                yield from _unknown(held, known[name], at=f"{at}.{name}")
            else:
                yield f"{at}.{name}"


def test_the_check_above_sees_a_field_too_many() -> None:
    schema = {"$ref": "#/components/schemas/TranscriptionListOut"}
    planted = {
        "object": "list",
        "data": [{"id": "trn_1", "schema_name": "t_1"}],
        "has_more": False,
        "next_cursor": None,
    }
    assert list(_unknown(planted, schema, at="")) == [".data[].schema_name"]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_the_method_is_that_of_the_request_line(alice_http: Tenant, clip: bytes, header: str) -> None:
    made = transcribe(alice_http.live, clip)
    path = f"{JOBS}/{made['id']}"
    assert (
        alice_http.live.get(path, headers={header: "DELETE"}, params={"_method": "DELETE"}).json()["id"] == made["id"]
    )
    assert alice_http.live.get(path).status_code == 200


SMUGGLED = b"GET /v1/usage HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5\r\n\tx: y\r\n",
    ],
)
def test_a_request_in_a_request_is_not_served(stack: Stack, alice_http: Tenant, framing: bytes) -> None:
    """Two readings of where a body ends would let one request hide in another's body behind a proxy."""
    key = f"Authorization: Bearer {alice_http.api_key}\r\n".encode()
    head = (
        b"POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + key + framing + b"\r\n"
    )
    answer = raw(stack.url, head + b"0\r\n\r\n" + SMUGGLED, timeout_s=5)
    assert answer.status >= 400
    assert b"totals" not in answer.body
    assert answer.body.count(b"HTTP/1.1") == 0


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/trn_00000000000000000000000000", "/v1/usage"])
def test_head_tells_no_more_than_get(alice_http: Tenant, path: str) -> None:
    answer = alice_http.live.head(path)
    assert answer.status_code in {405, alice_http.live.get(path).status_code}
    assert answer.content == b""


class Touched:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def _envelope(body: bytes, *, kind: str, task: str = TASK, encoding: str = "base64") -> bytes:
    """A message as kombu's Redis transport reads it."""
    headers = {"lang": "py", "task": task, "id": "x", "root_id": "x", "argsrepr": "", "kwargsrepr": ""}
    properties = {"correlation_id": "x", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "media"},
                  "priority": 0, "body_encoding": encoding, "delivery_tag": "x"}  # fmt: skip
    envelope = {"body": base64.b64encode(body).decode(), "content-encoding": "binary", "content-type": kind,
                "headers": headers, "properties": properties}  # fmt: skip
    return json.dumps(envelope).encode()


def test_messages_that_are_no_wake_ups_do_nothing(stack: Stack, alice_http: Tenant, tmp_path: Path) -> None:
    """Whoever can write to Redis can wake workers, and nothing else."""
    mark, worker = tmp_path / "unpickled", _worker(stack)
    args = json.dumps([["nobody's executor"], {}, {}]).encode()
    pickled = pickle.dumps([[Touched(mark)], {}, {}])
    messages = [
        _envelope(pickled, kind="application/x-python-serialize"),
        _envelope(args, kind="application/json"),
        _envelope(args, kind="application/json", task="os.system"),
        _envelope(b"\xff\xfe", kind="application/json"),
    ]
    client = redis.Redis.from_url(Home(stack.home).state()["env"]["REDIS_URL"])
    for message in messages:
        client.lpush("media", message)
    while client.llen("media"):
        transcribe(alice_http.live, tone(seed=40))
    client.close()
    assert transcribe(alice_http.live, tone(seed=41))["status"] == "completed"
    assert (mark.exists(), _worker(stack)) == (False, worker)


def _worker(stack: Stack) -> int:
    """The process number of the worker: another one after a crash."""
    return int(json.loads(stack.parlance("status", "--json"))["services"]["worker"]["pid"])


def test_a_crash_tells_its_request_id_and_nothing_else() -> None:
    async def crash(*_: Any) -> None:
        raise RuntimeError("SELECT secret FROM /srv/parlance")

    answer = asyncio.run(_asked(Front(crash, None, "https://api.example", {"/crash": crash}), "/crash"))  # type: ignore[arg-type]  # not needed
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["request-id"] == answer.json()["request_id"]
    assert not [word for word in ("SELECT", "srv", "Traceback", "RuntimeError", "Python") if word in answer.text]


async def _asked(front: Front, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=front)  # type: ignore[arg-type]  # ASGI all the same
    async with httpx.AsyncClient(transport=transport, base_url="https://api.example") as client:
        return await client.get(path)
