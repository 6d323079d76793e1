"""What a tenant forbids is refused before anything is held, spoken or taken from the cache."""

from __future__ import annotations

import contextlib
import json
import threading
import unicodedata
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, tenant_uuid, usage
from tests.api.conftest import FileServer

ROUTE = "/v1/content-policy"
HEADER_BYTES = 44  # of a WAV file; its lengths are not known yet while it is sent as it is made
ALLOWED = b'{"allowed": true}'


@pytest.fixture
def own(stack: Stack) -> Tenant:
    """A tenant without a policy."""
    return stack.tenant(f"policy {uuid4().hex}")


def forbid(client: httpx.Client, *terms: str, **fields: Any) -> Any:
    """Set the policy; as it is shown."""
    answer = client.put(ROUTE, json={"deny_terms": list(terms)} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(client: httpx.Client, text: str, **fields: Any) -> httpx.Response:
    return client.post("/v1/speech", json={"text": text, "engine": "simulated", "format": "wav"} | fields)


def moderate(server: FileServer, answer: Callable[[bytes], tuple[int, bytes]]) -> str:
    return server.reply(f"/moderate/{uuid4().hex}", answer)


def test_a_forbidden_term_is_refused_and_nothing_happens(own: Tenant, database: psycopg.Connection[Any]) -> None:
    before = usage(own.live)
    assert forbid(own.live, "Rosebud")["deny_terms"] == ["Rosebud"]
    refused = check_problem(say(own.live, "He said rosebud!"), 422, "content_policy")
    assert (refused["errors"][0]["field"], "osebud" in refused["detail"]) == ("text", False)
    assert own.live.get("/v1/speech").json()["data"] == []
    assert usage(own.live) == before
    for table in ("job", "hold"):
        found = database.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant_uuid(own)]).fetchone()
        assert found == (0,)
    assert say(own.live, "He said rosebuds, plural").status_code == 200


@pytest.mark.parametrize(
    ("term", "text", "is_refused"),
    [
        ("바보", "너는바보야", True),
        ("바보", unicodedata.normalize("NFD", "이 바보!"), True),
        ("바보", "바다 보기", False),
        ("STRASSE", "In der straße", True),
        ("straße", "STRASSE frei", True),
        ("ass", "first class", False),
        ("ass", "ass는 안돼", True),
        ("secret word", "the secret\n  word", True),
        ("secret", "the s\u200becret", True),
        ("secret", "the whole \uff53ecr\uff45t of it", True),
        ("c++", "I write c++", True),
    ],
)
def test_terms_are_found_as_people_read_them(own: Tenant, term: str, text: str, is_refused: bool) -> None:
    forbid(own.live, term)
    answer = say(own.live, text, voice="simulated/sejong")
    assert (answer.status_code == 422) == is_refused
    if is_refused:
        check_problem(answer, 422, "content_policy")


def test_speech_of_before_is_not_given_out_either(own: Tenant) -> None:
    assert say(own.live, "a fine sentence").status_code == 200
    assert say(own.live, "a fine sentence").headers["x-parlance-cache"] == "hit"
    forbid(own.live, "fine")
    check_problem(say(own.live, "a fine sentence"), 422, "content_policy")
    forbid(own.live)
    assert say(own.live, "a fine sentence").headers["x-parlance-cache"] == "hit"


@pytest.mark.parametrize(
    "ssml",
    [
        "<speak>say <emphasis>rosebud</emphasis></speak>",
        "<speak>say rose<emphasis>bud</emphasis></speak>",
        "<speak>say &#114;osebud</speak>",
        "<speak>say <sub alias='rosebud'>it</sub></speak>",
    ],
)
def test_ssml_hides_nothing(own: Tenant, ssml: str) -> None:
    order = {"text": None, "ssml": ssml, "engine": "espeak-ng"}
    body = {name: value for name, value in order.items() if value}
    forbid(own.live, "other")
    assert own.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"}).status_code == 202
    forbid(own.live, "rosebud")
    check_problem(own.live.post("/v1/speech", json=body), 422, "content_policy")


def test_the_dictionary_is_no_way_around_it(own: Tenant) -> None:
    own.live.post("/v1/dictionary", json={"language": "en", "term": "flower", "say_as": "rosebud"})
    forbid(own.live, "rosebud")
    check_problem(say(own.live, "a flower"), 422, "content_policy")
    forbid(own.live, "flower")
    check_problem(say(own.live, "a flower"), 422, "content_policy")


def test_long_text_is_checked_when_it_is_ordered(own: Tenant) -> None:
    forbid(own.live, "rosebud")
    text = "word " * 3_000 + "rosebud"
    check_problem(say(own.live, text), 422, "content_policy")
    assert say(own.live, text.replace("rosebud", "tulip")).status_code == 202


def test_a_moderator_decides_and_may_say_why(own: Tenant, file_server: FileServer) -> None:
    seen: list[Any] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        seen.append(json.loads(body))
        fine = "bad" not in seen[-1]["text"]
        return 200, json.dumps({"allowed": fine, "reason": "" if fine else "too rude\u0007"}).encode()

    shown = forbid(own.live, moderator_url=moderate(file_server, answer))
    assert (shown["when_moderator_fails"], shown["moderator_url"].startswith("http")) == ("refuse", True)
    assert say(own.live, "a 좋은 day", voice="simulated/sejong").status_code == 200
    refused = check_problem(say(own.live, "a bad day"), 422, "content_policy")
    assert "refused the text: too rude." in refused["detail"]
    assert seen == [{"text": "a 좋은 day"}, {"text": "a bad day"}]
    assert len(own.live.get("/v1/speech").json()["data"]) == 1


def test_a_forbidden_text_never_reaches_the_moderator(own: Tenant, file_server: FileServer) -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        seen.append(body)
        return 200, ALLOWED

    forbid(own.live, "rosebud", moderator_url=moderate(file_server, answer))
    check_problem(say(own.live, "rosebud"), 422, "content_policy")
    assert say(own.live, "tulip").status_code == 200
    assert len(seen) == 1


@pytest.mark.parametrize(
    "reply",
    [(500, ALLOWED), (302, ALLOWED), (200, b""), (200, b"[]"), (200, b'{"allowed": "yes"}'), (200, b'{"ok": true}'),
     (200, b'{"allowed": true, "reason": "' + b"x" * 20_000 + b'"}')],
)  # fmt: skip
def test_no_verdict_refuses_or_allows_as_the_policy_says(
    own: Tenant, file_server: FileServer, reply: tuple[int, bytes]
) -> None:
    url = moderate(file_server, lambda _: reply)
    forbid(own.live, moderator_url=url)
    refused = say(own.live, "hello")
    check_problem(refused, 503, "moderator_unavailable")
    assert refused.headers["retry-after"] == "5"
    forbid(own.live, moderator_url=url, when_moderator_fails="allow")
    assert say(own.live, "hello").status_code == 200


def test_one_tenants_hanging_moderator_leaves_threads_for_others() -> None:
    from speech.synthesis import moderators

    tenant_id, other_id = uuid4(), uuid4()
    with contextlib.ExitStack() as seats:
        for _ in range(moderators.AT_ONCE):
            seats.enter_context(moderators._seat(tenant_id))
        with pytest.raises(moderators.ModeratorFailed, match="busy"):
            seats.enter_context(moderators._seat(tenant_id))
        seats.enter_context(moderators._seat(other_id))
    with moderators._seat(tenant_id):
        pass
    assert not moderators._busy


def test_a_repeat_under_its_idempotency_key_is_not_judged_again(own: Tenant, file_server: FileServer) -> None:
    replies = [(200, ALLOWED), (500, b"")]
    forbid(own.live, moderator_url=moderate(file_server, lambda _: replies.pop(0)))
    body, headers = {"text": "hello", "engine": "simulated", "format": "wav"}, {"Idempotency-Key": "judged-once"}
    first, again = (own.live.post("/v1/speech", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.content[HEADER_BYTES:]) == (200, first.content[HEADER_BYTES:])
    check_problem(own.live.post("/v1/speech", json=body), 503, "moderator_unavailable")


def test_a_moderator_that_hangs_is_not_waited_for(own: Tenant, file_server: FileServer) -> None:
    let_go = threading.Event()

    def hang(_: bytes) -> tuple[int, bytes]:
        let_go.wait(30)
        return 200, ALLOWED

    forbid(own.live, moderator_url=moderate(file_server, hang))
    try:
        refused = say(own.live, "hello")
        check_problem(refused, 503, "moderator_unavailable")
        assert 2.5 < refused.elapsed.total_seconds() < 10
    finally:
        let_go.set()


@pytest.mark.parametrize("url", ["http://1.1.1.1/m", "https://127.0.0.1/m", "https://localhost/m", "ftp://a.b/c", "x"])
def test_a_moderator_stands_on_the_public_internet_behind_https(own: Tenant, url: str) -> None:
    refused = check_problem(own.live.put(ROUTE, json={"moderator_url": url}), 422, "url_blocked")
    assert refused["errors"][0]["field"] == "moderator_url"
    assert own.live.get(ROUTE).json()["moderator_url"] is None


@pytest.mark.parametrize(
    "fields", [{"deny_terms": ["..."]}, {"deny_terms": ["x"] * 1001}, {"deny_terms": ["x" * 101]},
               {"when_moderator_fails": "shrug"}, {"other": 1}],
)  # fmt: skip
def test_what_cannot_be_a_policy_is_refused(own: Tenant, fields: dict[str, Any]) -> None:
    check_problem(own.live.put(ROUTE, json=fields), 422, "invalid_request")


def test_a_policy_is_of_its_tenant_and_mode(own: Tenant, charlie_http: Tenant) -> None:
    forbid(own.live, "rosebud")
    for client in (own.test, charlie_http.live, charlie_http.test):
        assert client.get(ROUTE).json()["deny_terms"] == []
        assert say(client, "rosebud").status_code == 200
    check_problem(say(own.live, "rosebud"), 422, "content_policy")


def test_a_key_that_speaks_can_neither_see_nor_lift_it(own: Tenant, stack: Stack, new_key: Any) -> None:
    forbid(own.live, "rosebud")
    scopes = [part for scope in ("speech:write", "speech:read", "speech:manage") for part in ("--scope", scope)]
    client = stack.client(new_key(own, *scopes)["api_key"])
    check_problem(say(client, "rosebud"), 422, "content_policy")
    check_problem(client.get(ROUTE), 403, "scope_missing")
    check_problem(client.put(ROUTE, json={}), 403, "scope_missing")


def test_neither_text_nor_terms_nor_url_reach_a_log(
    own: Tenant, stack: Stack, file_server: FileServer, database: psycopg.Connection[Any]
) -> None:
    marks = [uuid4().hex for _ in range(3)]
    url = file_server.reply(f"/{marks[2]}", lambda _: (500, b""))
    forbid(own.live, marks[0], moderator_url=url)
    check_problem(say(own.live, f"say {marks[0]}"), 422, "content_policy")
    check_problem(say(own.live, f"say {marks[1]}"), 503, "moderator_unavailable")
    logs = "".join(path.read_text("utf-8", "replace") for path in stack.home.rglob("*.log"))
    assert "moderator_failed" in logs
    entries = database.execute(
        "SELECT row_to_json(audit_entry)::text FROM audit_entry WHERE tenant_id = %s", [tenant_uuid(own)]
    ).fetchall()
    assert "content_policy.changed" in str(entries)
    for mark in marks:
        assert mark not in logs + str(entries)
