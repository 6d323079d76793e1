"""The pronunciation dictionary over HTTP. The simulated voice speaks 60 ms for each letter and 60 ms for each word."""

from __future__ import annotations

import io
import unicodedata
import wave
from typing import Any

import httpx
import psycopg
import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, tenant_uuid, usage, without_id


@pytest.fixture
def own(stack: Stack, request: pytest.FixtureRequest) -> Tenant:
    """A tenant with an empty dictionary."""
    return stack.tenant(f"dictionary {request.node.name[:150]}")


def teach(client: httpx.Client, term: str, say_as: str, *, language: str = "en") -> str:
    """A new entry; its id."""
    made = client.post("/v1/dictionary", json={"language": language, "term": term, "say_as": say_as})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def say(client: httpx.Client, text: str, **fields: Any) -> httpx.Response:
    answer = client.post("/v1/speech", json={"text": text, "engine": "simulated", "format": "wav"} | fields)
    assert answer.status_code == 200, answer.text
    return answer


def length_ms(answer: httpx.Response) -> int:
    with wave.open(io.BytesIO(answer.content)) as file:
        return len(file.readframes(2**31 - 1)) // 2 * 1000 // file.getframerate()


def sounds_like(client: httpx.Client, text: str, said: str, **fields: Any) -> bool:
    """Whether a text is spoken as long as `said` would be."""
    letters, words = len("".join(said.split())), len(said.split())
    return length_ms(say(client, text, reuse="never", **fields)) == 60 * letters + 60 * words


def test_terms_are_said_as_the_dictionary_tells(own: Tenant) -> None:
    assert sounds_like(own.live, "We use SQL daily.", "We use SQL daily.")
    teach(own.live, "SQL", "sequel")
    assert sounds_like(own.live, "We use SQL daily.", "We use sequel daily.")
    assert sounds_like(own.live, "Not MySQL nor sql.", "Not MySQL nor sql.")


def test_korean_terms_keep_their_particles(own: Tenant) -> None:
    teach(own.live, "기재부", "기획재정부", language="ko")
    assert sounds_like(own.live, "기재부에서는 말했다", "기획재정부에서는 말했다")
    assert sounds_like(own.live, "기재부장관 말씀", "기재부장관 말씀")


def test_an_entry_holds_for_its_language_and_a_region_goes_first(own: Tenant) -> None:
    teach(own.live, "tbd", "to be decided")
    teach(own.live, "tbd", "tee bee dee", language="en-GB")
    teach(own.live, "tbd", "totally other", language="de")
    assert sounds_like(own.live, "tbd", "to be decided")
    assert sounds_like(own.live, "tbd", "tee bee dee", language="en-GB", voice="simulated/ada")


def test_what_was_sent_is_billed_and_ssml_is_left_alone(own: Tenant) -> None:
    teach(own.live, "NASA", "the space agency")
    answer = say(own.live, "NASA flies", reuse="never")
    assert answer.headers["x-parlance-characters"] == "10"
    assert sum(line["quantity"] for line in usage(own.live)["data"] if line["meter"] == "characters") == 10
    taught = _spoken_ssml(own.live)
    own.live.delete(f"/v1/dictionary/{_only(own.live)['id']}")
    assert _spoken_ssml(own.live) == taught


def _spoken_ssml(client: httpx.Client) -> int:
    """How long a document with the term lasts."""
    body = {"ssml": "<speak>NASA flies</speak>", "engine": "espeak-ng", "format": "wav", "reuse": "never"}
    made = client.post("/v1/speech", json=body, headers={"Prefer": "respond-async"}).json()
    done = client.get(f"/v1/speech/{made['id']}", headers={"Prefer": "wait=30"}).json()
    assert done["status"] == "completed"
    return int(done["audio"]["duration_ms"])


def _only(client: httpx.Client) -> Any:
    (entry,) = client.get("/v1/dictionary").json()["data"]
    return entry


def test_a_change_never_brings_back_old_audio(own: Tenant) -> None:
    text = "The IDE opens."
    plain = say(own.live, text)
    entry = teach(own.live, "IDE", "editor")
    taught = say(own.live, text)
    assert (plain.headers["x-parlance-cache"], taught.headers["x-parlance-cache"]) == ("miss", "miss")
    assert length_ms(taught) > length_ms(plain)
    assert say(own.live, text).headers["x-parlance-cache"] == "hit"
    own.live.patch(f"/v1/dictionary/{entry}", json={"say_as": "workbench"})
    changed = say(own.live, text)
    assert (changed.headers["x-parlance-cache"], length_ms(changed) > length_ms(taught)) == ("miss", True)
    own.live.delete(f"/v1/dictionary/{entry}")
    again = say(own.live, text)
    assert (again.headers["x-parlance-cache"], length_ms(again)) == ("hit", length_ms(plain))


def test_entries_that_do_not_apply_leave_the_cache_alone(own: Tenant) -> None:
    first = say(own.live, "nothing to change here")
    teach(own.live, "elsewhere", "another place")
    again = say(own.live, "nothing to change here")
    assert (first.headers["x-parlance-cache"], again.headers["x-parlance-cache"]) == ("miss", "hit")


def test_an_accepted_job_keeps_how_it_was_to_sound(own: Tenant) -> None:
    entry = teach(own.live, "ETA", "arrival time")
    body = {"text": "ETA soon", "engine": "simulated", "format": "wav", "simulate": "slow:1500"}
    made = own.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"}).json()
    own.live.delete(f"/v1/dictionary/{entry}")
    done = own.live.get(f"/v1/speech/{made['id']}", headers={"Prefer": "wait=30"}).json()
    assert (done["status"], done["audio"]["duration_ms"]) == ("completed", 60 * len("arrivaltimesoon") + 60 * 3)


def test_a_dictionary_cannot_make_a_short_text_endless(own: Tenant) -> None:
    teach(own.live, "ha", "x" * 200)
    refused = own.live.post("/v1/speech", json={"text": "ha " * 50, "engine": "simulated"})
    check_problem(refused, 422, "dictionary_too_long")
    assert own.live.get("/v1/speech").json()["data"] == []


def test_entries_are_kept_in_normal_form_and_once(own: Tenant) -> None:
    teach(own.live, unicodedata.normalize("NFD", "카톡"), " 카카오  톡 ", language="KO")
    entry = _only(own.live)
    assert (entry["language"], entry["term"], entry["say_as"]) == ("ko", "카톡", "카카오 톡")
    again = own.live.post("/v1/dictionary", json={"language": "ko", "term": "카톡", "say_as": "x"})
    check_problem(again, 409, "term_taken")
    other = teach(own.live, "톡", "토크", language="ko")
    check_problem(own.live.patch(f"/v1/dictionary/{other}", json={"term": "카톡"}), 409, "term_taken")
    assert own.live.get("/v1/dictionary", params={"language": "en"}).json()["data"] == []
    assert len(own.live.get("/v1/dictionary", params={"language": "ko"}).json()["data"]) == 2


@pytest.mark.parametrize(
    "fields",
    [{"term": ""}, {"term": " . "}, {"term": "a\u0007"}, {"term": "a" * 101}, {"say_as": ""}, {"say_as": "a" * 201},
     {"language": "xx"}, {"language": "english please"}, {"other": 1}],
)  # fmt: skip
def test_what_cannot_be_an_entry_is_refused(alice_http: Tenant, fields: dict[str, Any]) -> None:
    body = {"language": "en", "term": "never kept", "say_as": "this"} | fields
    check_problem(alice_http.live.post("/v1/dictionary", json=body), 422, "invalid_request")


def test_a_full_dictionary_says_so(own: Tenant, database: psycopg.Connection[Any]) -> None:
    teach(own.live, "one", "uno")
    table = f'"t_{tenant_uuid(own).hex}".dictionary_entry'
    database.execute(
        f"INSERT INTO {table} (id, livemode, language, term, say_as, created_at)"
        " SELECT gen_random_uuid(), true, 'en', 'term ' || n, 'x', now() FROM generate_series(1, 999) n"
    )
    body = {"language": "en", "term": "two", "say_as": "dos"}
    check_problem(own.live.post("/v1/dictionary", json=body), 422, "too_many")
    assert own.test.post("/v1/dictionary", json=body).status_code == 201
    assert sounds_like(own.live, "one more", "uno more")


def test_charlie_learns_nothing_of_alices_dictionary(alice_http: Tenant, charlie_http: Tenant) -> None:
    entry = teach(alice_http.live, "charliesecret", "something quite different")
    for client in (charlie_http.live, charlie_http.test, alice_http.test):
        for method, body in (("GET", None), ("PATCH", {"say_as": "x"}), ("DELETE", None)):
            theirs = client.request(method, f"/v1/dictionary/{entry}", json=body)
            check_problem(theirs, 404, "not_found")
            none = client.request(method, f"/v1/dictionary/{entry[:-4]}0000", json=body)
            assert without_id(theirs) == without_id(none)
        assert "charliesecret" not in client.get("/v1/dictionary").text
    for client in (charlie_http.live, alice_http.test):
        assert sounds_like(client, "charliesecret", "charliesecret")
    assert sounds_like(alice_http.live, "charliesecret", "something quite different")


def test_a_key_that_only_speaks_cannot_teach(alice_http: Tenant, stack: Stack, new_key: Any) -> None:
    client = stack.client(new_key(alice_http, "--scope", "speech:write", "--scope", "speech:read")["api_key"])
    body = {"language": "en", "term": "nope", "say_as": "no"}
    check_problem(client.post("/v1/dictionary", json=body), 403, "scope_missing")
    assert client.get("/v1/dictionary").status_code == 200
