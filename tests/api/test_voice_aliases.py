"""A tenant's own names for voices, over HTTP."""

from __future__ import annotations

import json
import unicodedata
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from stack import Tenant

from tests.api.calls import check_problem, tenant_uuid, without_id

ADA, SEJONG = "simulated/ada", "simulated/sejong"


def name_voice(client: httpx.Client, *, voice: str = ADA, name: str | None = None) -> str:
    """A new alias; its name."""
    wanted = name or f"voice-{uuid4().hex}"
    made = client.post("/v1/voices/aliases", json={"name": wanted, "voice": voice})
    assert made.status_code == 201, made.text
    return str(made.json()["name"])


def speak(client: httpx.Client, voice: str, **fields: Any) -> httpx.Response:
    body = {"text": "say it in my voice", "voice": voice, "format": "wav"} | fields
    return client.post("/v1/speech", json=body)


def test_an_alias_stands_where_a_voice_is_named(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    answer = speak(alice_http.live, name.upper())
    assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, ADA)
    shown = alice_http.live.get(answer.headers["location"]).json()
    assert shown["routing"]["reasons"] == {ADA: f"asked for by the alias {name.upper()}"}


def test_a_changed_alias_speaks_with_the_new_voice_from_then_on(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    assert speak(alice_http.live, name, text="안녕").status_code == 422  # Ada cannot read it
    changed = alice_http.live.patch(f"/v1/voices/aliases/{name}", json={"voice": SEJONG})
    assert (changed.status_code, changed.json()["voice"]) == (200, SEJONG)
    assert speak(alice_http.live, name, text="안녕").headers["x-parlance-voice"] == SEJONG


def test_a_deleted_alias_is_an_unknown_voice(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    assert speak(alice_http.live, name).status_code == 200
    assert alice_http.live.delete(f"/v1/voices/aliases/{name}").json() == {"object": "voice_alias", "deleted": True}
    check_problem(speak(alice_http.live, name), 422, "unknown_voice")
    check_problem(alice_http.live.delete(f"/v1/voices/aliases/{name}"), 404, "not_found")


def test_a_repeat_is_the_same_order_although_the_alias_has_changed(alice_http: Tenant) -> None:
    name, headers = name_voice(alice_http.live), {"Idempotency-Key": uuid4().hex}
    body = {"text": "once", "voice": name, "format": "wav"}
    first = alice_http.live.post("/v1/speech", json=body, headers=headers)
    alice_http.live.patch(f"/v1/voices/aliases/{name}", json={"voice": "simulated/any"})
    again = alice_http.live.post("/v1/speech", json=body, headers=headers)
    assert (again.headers["idempotency-replayed"], again.headers["x-parlance-voice"]) == ("true", ADA)
    assert again.content[44:] == first.content[44:]  # the samples; a header may not know its length yet


def test_an_alias_wins_over_the_short_name_of_a_voice_and_never_over_an_id(alice_http: Tenant, stack: Any) -> None:
    own = stack.tenant("alias-over-name")
    name_voice(own.live, name="ada", voice="simulated/any")
    assert speak(own.live, "ada").headers["x-parlance-voice"] == "simulated/any"
    assert speak(own.live, ADA).headers["x-parlance-voice"] == ADA
    assert speak(alice_http.live, "ada").headers["x-parlance-voice"] == ADA


def test_names_of_any_script_are_kept_in_normal_form(alice_http: Tenant) -> None:
    name = f"아나운서-{uuid4().hex}"
    assert name_voice(alice_http.live, name=unicodedata.normalize("NFD", name)) == name
    for spelled in (name, unicodedata.normalize("NFD", name)):
        assert speak(alice_http.live, spelled).headers["x-parlance-voice"] == ADA
        assert alice_http.live.get(f"/v1/voices/aliases/{spelled}").json()["name"] == name


@pytest.mark.parametrize("name", ["", "a/b", "a b", ".a", "-a", "a" * 65, "a\u0000", "😀"])
def test_what_cannot_be_a_name_is_refused(alice_http: Tenant, name: str) -> None:
    refused = alice_http.live.post("/v1/voices/aliases", json={"name": name, "voice": ADA})
    assert check_problem(refused, 422, "invalid_request")["errors"][0]["field"] == "name"


def test_only_a_voice_that_is_here_can_be_named(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    for wrong in ("nobody/here", "ada", name):
        made = alice_http.live.post("/v1/voices/aliases", json={"name": f"x-{name}", "voice": wrong})
        check_problem(made, 422, "unknown_voice")
        check_problem(alice_http.live.patch(f"/v1/voices/aliases/{name}", json={"voice": wrong}), 422, "unknown_voice")
    assert alice_http.live.get(f"/v1/voices/aliases/{name}").json()["voice"] == ADA


def test_a_name_is_given_once(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    again = alice_http.live.post("/v1/voices/aliases", json={"name": name.upper(), "voice": SEJONG})
    check_problem(again, 409, "alias_taken")
    assert alice_http.live.get(f"/v1/voices/aliases/{name}").json()["voice"] == ADA


def test_voices_tell_their_aliases(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    found = alice_http.live.get("/v1/voices", params={"alias": name}).json()["data"]
    assert [(voice["id"], name in voice["aliases"]) for voice in found] == [(ADA, True)]
    assert alice_http.live.get("/v1/voices", params={"alias": "nobody-called-so"}).json()["data"] == []


def test_each_mode_has_its_own(alice_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    check_problem(speak(alice_http.test, name), 422, "unknown_voice")
    check_problem(alice_http.test.get(f"/v1/voices/aliases/{name}"), 404, "not_found")
    name_voice(alice_http.test, name=name, voice=SEJONG)
    assert speak(alice_http.test, name).headers["x-parlance-voice"] == SEJONG


def test_the_list_goes_on_where_it_stopped(stack: Any) -> None:
    own = stack.tenant("alias-lister")
    names = [name_voice(own.live) for _ in range(3)]
    page = own.live.get("/v1/voices/aliases", params={"limit": 2}).json()
    rest = own.live.get("/v1/voices/aliases", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [row["name"] for row in page["data"] + rest["data"]] == names[::-1]
    assert (page["has_more"], rest["has_more"]) == (True, False)


def test_charlie_cannot_use_or_see_alices_alias(alice_http: Tenant, charlie_http: Tenant) -> None:
    name = name_voice(alice_http.live)
    check_problem(speak(charlie_http.live, name), 422, "unknown_voice")
    for method, body in (("GET", None), ("PATCH", {"voice": SEJONG}), ("DELETE", None)):
        theirs = charlie_http.live.request(method, f"/v1/voices/aliases/{name}", json=body)
        check_problem(theirs, 404, "not_found")
        none = charlie_http.live.request(method, "/v1/voices/aliases/nobody-called-so", json=body)
        assert without_id(theirs) == without_id(none)
    assert name not in charlie_http.live.get("/v1/voices/aliases").text
    assert name not in charlie_http.live.get("/v1/voices").text
    assert alice_http.live.get(f"/v1/voices/aliases/{name}").json()["voice"] == ADA


def test_a_key_that_only_speaks_cannot_change_names(alice_http: Tenant, stack: Any, new_key: Any) -> None:
    name = name_voice(alice_http.live)
    key = new_key(alice_http, "--scope", "speech:write", "--scope", "speech:read")
    client = stack.client(key["api_key"])
    assert speak(client, name).status_code == 200
    assert client.get(f"/v1/voices/aliases/{name}").status_code == 200
    check_problem(client.patch(f"/v1/voices/aliases/{name}", json={"voice": SEJONG}), 403, "scope_missing")
    check_problem(client.delete(f"/v1/voices/aliases/{name}"), 403, "scope_missing")
    body = {"name": "mine", "voice": ADA}
    check_problem(client.post("/v1/voices/aliases", json=body), 403, "scope_missing")


def test_every_change_is_in_the_audit_log_without_the_name(stack: Any, database: psycopg.Connection[Any]) -> None:
    own = stack.tenant("alias-audited")
    name = name_voice(own.live)
    own.live.patch(f"/v1/voices/aliases/{name}", json={"voice": SEJONG})
    own.live.delete(f"/v1/voices/aliases/{name}")
    rows = database.execute(
        "SELECT action, before, after, row_to_json(audit_entry)::text FROM audit_entry WHERE tenant_id = %s AND action"
        " LIKE 'voice_alias%%' ORDER BY id", [tenant_uuid(own)],
    ).fetchall()  # fmt: skip
    assert [row[:3] for row in rows] == [
        ("voice_alias.created", None, {"voice": ADA}),
        ("voice_alias.changed", {"voice": ADA}, {"voice": SEJONG}),
        ("voice_alias.deleted", {"voice": SEJONG}, None),
    ]
    assert name not in json.dumps([row[3] for row in rows])
