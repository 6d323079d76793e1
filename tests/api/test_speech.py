"""Text to speech over HTTP: short at once, long as a job, cached, billed by character."""

from __future__ import annotations

import io
import json
import time
import unicodedata
from decimal import Decimal
from typing import Any

import av
import httpx
import pytest
from stack import Tenant
from told import check_told

from speech.synthesis.cutting import cut
from speech.synthesis.making import PART_CHARACTERS
from tests.api.calls import ENDED, check_problem, usage, without_id

WAV_HEADER = 44  # bytes: one that is sent while it is made cannot tell its length
LAUGHS = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))  # a billion of them
UNKNOWN = "spc_01aaaaaaaaaaaaaaaaaaaaaaaa"
TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm", "mulaw": "audio/basic",
}  # fmt: skip


def say(tenant: Tenant, text: str, **fields: Any) -> httpx.Response:
    """A request to the simulated voice, unless another engine is named."""
    body = {"text": text, "engine": "simulated", "format": "wav"} | fields
    return tenant.live.post("/v1/speech", json=body)


def spoken(tenant: Tenant, text: str, **fields: Any) -> Any:
    """A job at its end, as GET shows it."""
    body = {"text": text, "engine": "simulated", "format": "wav"} | fields
    made = tenant.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"})
    assert made.status_code == 202, made.text
    return ended(tenant, made.json()["id"])


def ended(tenant: Tenant, speech_id: str) -> Any:
    for _ in range(3):
        shown = tenant.live.get(f"/v1/speech/{speech_id}", headers={"Prefer": "wait=30"}).json()
        if shown["status"] in ENDED:
            return shown
    raise AssertionError(f"still {shown['status']}")


def length_ms(data: bytes) -> int:
    """How long a file plays, by decoding it."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) * 1000 // stream.rate


def test_short_text_is_answered_with_its_audio(alice_http: Tenant) -> None:
    answer = say(alice_http, "hello there, this is short")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.headers["x-parlance-characters"] == "26"
    assert answer.headers["x-parlance-voice"] == "simulated/ada"
    shown = alice_http.live.get(answer.headers["location"]).json()
    assert shown["status"] == "completed"
    assert length_ms(answer.content) == shown["audio"]["duration_ms"]
    assert "hello" not in str(shown)


@pytest.mark.parametrize("form", TYPES)
def test_every_format_is_the_same_speech(alice_http: Tenant, form: str) -> None:
    answer = say(alice_http, "the same speech in every format", format=form)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
    expected = say(alice_http, "the same speech in every format")
    raw = {"pcm": len(answer.content) // 32, "mulaw": len(answer.content) // 8}.get(form)
    assert (raw or length_ms(answer.content)) == pytest.approx(length_ms(expected.content), abs=100)


def test_the_built_in_engine_speaks_korean_and_english(alice_http: Tenant) -> None:
    for text, voice in (("안녕하세요 반갑습니다", "espeak-ng/ko"), ("Good morning to you.", "espeak-ng/en-us")):
        done = spoken(alice_http, text, engine="espeak-ng")
        assert (done["status"], done["voice"], done["quality"]) == ("completed", voice, "demo")
        data = httpx.get(done["audio"]["download_url"], trust_env=False).content
        assert 800 < length_ms(data) == done["audio"]["duration_ms"]


def test_long_text_is_a_job_whose_parts_are_joined_without_loss(alice_http: Tenant) -> None:
    sentence = "This is one of a great many sentences. "
    text = (sentence * 300).strip()
    made = say(alice_http, text)
    assert made.status_code == 202
    done = ended(alice_http, made.json()["id"])
    words, letters = len(text.split()), len(text.replace(" ", ""))
    assert done["audio"]["duration_ms"] == 60 * letters + 60 * words  # the simulated voice: nothing lost at a join
    assert (done["characters"], done["progress"]["percent"]) == (len(text), 100)
    data = httpx.get(done["audio"]["download_url"], trust_env=False).content
    assert (len(data), length_ms(data)) == (done["audio"]["size_bytes"], done["audio"]["duration_ms"])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("안녕하세요", 5),
        (unicodedata.normalize("NFD", "안녕하세요"), 5),
        ("ㅋㅋㅋ", 3),
        ("👨‍👩‍👧", 5),
        ("ᄒᆞᆫ", 3),
        (" a b ", 3),
    ],
)
def test_code_points_of_normal_text_are_billed(quiet_http: Tenant, text: str, count: int) -> None:
    before = _characters(quiet_http)
    answer = say(quiet_http, text, voice="simulated/any" if "👨" in text else "simulated/sejong", reuse="never")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-parlance-characters"] == str(count)
    assert _characters(quiet_http) - before == count


def _characters(tenant: Tenant) -> int:
    return sum(line["quantity"] for line in usage(tenant.live)["data"] if line["meter"] == "characters")


def test_the_same_again_comes_from_the_cache_for_less(alice_http: Tenant) -> None:
    first, again = (say(alice_http, "say this twice please") for _ in range(2))
    assert (first.headers["x-parlance-cache"], again.headers["x-parlance-cache"]) == ("miss", "hit")
    assert first.content[WAV_HEADER:] == again.content[WAV_HEADER:]
    costs = [Decimal(alice_http.live.get(each.headers["location"]).json()["cost"]["amount"]) for each in (first, again)]
    assert costs[1] * 4 == costs[0]
    assert say(alice_http, "say this twice please", speed=1.5).headers["x-parlance-cache"] == "miss"
    assert say(alice_http, "say this twice please", reuse="never").headers["x-parlance-cache"] == "miss"


def test_charlie_learns_nothing_of_what_alice_has_said(alice_http: Tenant, charlie_http: Tenant) -> None:
    mine = say(alice_http, "a secret of ours")
    theirs = say(charlie_http, "a secret of ours")
    assert theirs.headers["x-parlance-cache"] == "miss"
    for route in ("", "/audio"):
        seen = charlie_http.live.get(mine.headers["location"] + route)
        assert without_id(seen) == without_id(charlie_http.live.get(f"/v1/speech/{UNKNOWN}{route}"))
        check_problem(seen, 404, "not_found")
    listed = charlie_http.live.get("/v1/speech").json()["data"]
    assert mine.headers["location"].rpartition("/")[2] not in {job["id"] for job in listed}


def test_ssml_is_followed_and_its_tags_are_free(alice_http: Tenant) -> None:
    body = {"ssml": "<speak>One <break time='1s'/> &amp; two</speak>", "engine": "espeak-ng", "format": "wav"}
    made = alice_http.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"})
    done = ended(alice_http, made.json()["id"])
    assert (done["status"], done["characters"]) == ("completed", len("One & two"))
    assert done["audio"]["duration_ms"] > 1000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": ""}, "text_empty"),
        ({"text": " \n\t "}, "text_empty"),
        ({"text": "a\u0007b"}, "text_control_characters"),
        ({"text": "a" * 200_001}, "text_too_long"),
        ({"text": "가" * 200_001}, "text_too_long"),
        ({"text": "a" * 1_000_000}, "text_too_long"),
        ({"text": "...!?"}, "text_empty"),
        ({"text": "a\ufffeb"}, "text_control_characters"),
        ({"text": "a\u0000b"}, "text_control_characters"),
        ({"text": None, "ssml": "<speak><p/><break time='1s'/></speak>"}, "text_empty"),
        ({"text": None, "ssml": f"<speak>{'a' * 1_000_000}</speak>"}, "text_too_long"),
        ({"text": None, "ssml": f"<speak>{'<p>' * 40}a{'</p>' * 40}</speak>"}, "ssml_invalid"),
        ({"text": None, "ssml": "<speak>a&#7;</speak>"}, "ssml_invalid"),
        ({"text": None, "ssml": "<p>a</p>"}, "ssml_invalid"),
        ({"text": None, "ssml": f"<!DOCTYPE s [<!ENTITY a0 'ha'>{LAUGHS}]><speak>&a9;</speak>"}, "ssml_invalid"),
        ({"text": None, "ssml": "<!DOCTYPE s SYSTEM 'https://a.example/s.dtd'><speak>a</speak>"}, "ssml_invalid"),
        ({"text": None, "ssml": "<?xml-stylesheet href='https://a.example/x'?><speak>a</speak>"}, "ssml_invalid"),
        ({"text": None, "ssml": "<speak></speak>"}, "text_empty"),
        ({"text": None, "ssml": "<speak>a"}, "ssml_invalid"),
        ({"text": None, "ssml": "<speak>a<audio src='https://a.example/x.wav'/></speak>"}, "ssml_tag_unsupported"),
        (
            {"text": None, "ssml": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><speak>&e;</speak>"},
            "ssml_invalid",
        ),
        ({"text": "x", "ssml": "<speak>x</speak>"}, "invalid_request"),
        ({"voice": "nobody"}, "unknown_voice"),
        ({"voice": "an-alias-of-nobody"}, "unknown_voice"),
        ({"engine": "nobody"}, "unknown_engine"),
        ({"language": "xx"}, "invalid_request"),
        ({"text": "안녕하세요", "voice": "simulated/ada"}, "voice_script"),
        ({"voice": "simulated/ada", "language": "ko"}, "voice_language"),
        ({"format": "avi"}, "invalid_request"),
        ({"speed": 9}, "invalid_request"),
        ({"sample_rate_hz": 4000}, "invalid_request"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(alice_http: Tenant, fields: dict[str, Any], code: str) -> None:
    body = {"text": "hello", "engine": "simulated", "format": "wav"} | fields
    newest = alice_http.live.get("/v1/speech", params={"limit": 1}).json()["data"]
    sent = json.dumps(
        {k: v for k, v in body.items() if v is not None}
    )  # with \\uXXXX for every letter that is not ASCII
    headers = {"Content-Type": "application/json"}
    refused = check_problem(alice_http.live.post("/v1/speech", content=sent, headers=headers), 422, code)
    assert alice_http.live.get("/v1/speech", params={"limit": 1}).json()["data"] == newest  # no job, and so no bill
    if code == "voice_script":
        assert "simulated/sejong" in refused["detail"]


@pytest.mark.parametrize(
    "body", [b'{"text": "a\\ud800b"}', b'{"ssml": "<speak>a\\udc00b</speak>"}', b'{"text": "\xff"}']
)
def test_half_a_character_is_refused(alice_http: Tenant, body: bytes) -> None:
    answer = alice_http.live.post("/v1/speech", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"text_control_characters", "ssml_invalid", "invalid_json", "invalid_request"}


def test_a_failure_bills_nothing_and_says_why(quiet_http: Tenant) -> None:
    before = usage(quiet_http.live)
    refused = say(quiet_http, "this will fail", simulate="permanent_error")
    check_problem(refused, 422, "simulated_permanent_error")
    assert usage(quiet_http.live) == before


def test_a_canceled_job_is_billed_nothing(quiet_http: Tenant) -> None:
    before = usage(quiet_http.live)
    body = {"text": "this takes its time", "engine": "simulated", "simulate": "slow:60000"}
    made = quiet_http.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"}).json()
    canceled = quiet_http.live.post(f"/v1/speech/{made['id']}/cancel").json()
    assert (canceled["status"], canceled["cost"]) == ("canceled", None)
    check_problem(quiet_http.live.get(f"/v1/speech/{made['id']}/audio"), 409, "no_audio")
    assert usage(quiet_http.live) == before


def test_deleting_erases_text_and_audio(alice_http: Tenant) -> None:
    done = spoken(alice_http, "erase this soon")
    assert alice_http.live.delete(f"/v1/speech/{done['id']}").json()["deleted"] is True
    check_problem(alice_http.live.get(f"/v1/speech/{done['id']}"), 404, "not_found")
    assert httpx.get(done["audio"]["download_url"], trust_env=False).status_code == 404


def test_a_test_key_gets_beeps_for_nothing(alice_http: Tenant) -> None:
    body = {"text": "안녕하세요", "voice": "espeak-ng/ko", "format": "wav"}
    answer = alice_http.test.post("/v1/speech", json=body)
    assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, "simulated/sejong")
    assert alice_http.test.get(answer.headers["location"]).json()["cost"] is None


def test_what_the_speaking_engines_can_is_told(alice_http: Tenant) -> None:
    told = {engine["id"]: engine for engine in alice_http.live.get("/v1/engines").json()["speaking"]}
    assert set(told) == {"espeak-ng", "simulated"}
    espeak = told["espeak-ng"]
    assert {"ko", "en"} < set(espeak["languages"])
    assert (espeak["formats"], espeak["timings"]) == (list(TYPES), ["sentence", "word"])
    assert (espeak["region"], espeak["shutdown_date"], espeak["is_offered"]) == (None, None, True)
    assert "break" in espeak["ssml_tags"]


def test_voices_can_be_filtered(alice_http: Tenant) -> None:
    every = alice_http.live.get("/v1/voices").json()["data"]
    korean = alice_http.live.get("/v1/voices", params={"language": "ko"}).json()["data"]
    assert len(every) > 100
    assert {voice["id"] for voice in korean} == {"espeak-ng/ko", "simulated/sejong"}
    real = alice_http.live.get("/v1/voices", params={"language": "ko", "engine": "espeak-ng"}).json()["data"]
    assert [voice["id"] for voice in real] == ["espeak-ng/ko"]


def test_an_idempotency_key_speaks_once(quiet_http: Tenant) -> None:
    before = _characters(quiet_http)
    body = {"text": "once and no more", "engine": "simulated", "format": "wav"}
    first, again = (
        quiet_http.live.post("/v1/speech", json=body, headers={"Idempotency-Key": "speak-once"}) for _ in range(2)
    )
    assert first.content[WAV_HEADER:] == again.content[WAV_HEADER:]
    assert again.headers["idempotency-replayed"] == "true"
    assert _characters(quiet_http) - before == len(body["text"])


def test_its_end_is_told_by_an_event(alice_http: Tenant) -> None:
    done = spoken(alice_http, "tell the others about it")
    after = 0
    while True:
        page = alice_http.live.get("/v1/events", params={"after": after, "limit": 100}).json()
        for event in page["data"]:
            if event["data"].get("id") == done["id"]:
                assert check_told(event).type == "speech.completed"
                assert event["data"]["audio"]["duration_ms"] == done["audio"]["duration_ms"]
                return
        after = page["next_after"] or after


def test_who_leaves_while_it_is_spoken_pays_for_what_was_sent(quiet_http: Tenant) -> None:
    before, text = _characters(quiet_http), "All of these words are said in several parts. " * 25
    body = {"text": text, "engine": "simulated", "format": "wav", "simulate": "slow:1500", "reuse": "never"}
    with quiet_http.live.stream("POST", "/v1/speech", json=body) as answer:
        assert answer.status_code == 200
        next(answer.iter_raw())
    left = ended(quiet_http, answer.headers["x-parlance-speech-id"])
    first_part = cut(text.strip(), max_chars=PART_CHARACTERS)[0]
    assert (left["status"], left["cost"] is not None) == ("canceled", True)
    assert _characters(quiet_http) - before == first_part.end


def test_the_first_piece_comes_before_the_last_part_is_spoken(alice_http: Tenant) -> None:
    body = {"text": "Some words to say now. " * 40, "engine": "simulated", "format": "mp3", "simulate": "slow:1000"}
    started = time.monotonic()
    with alice_http.live.stream("POST", "/v1/speech", json=body) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        first_s = time.monotonic() - started
        assert sum(len(piece) for piece in pieces) > 10_000
    assert time.monotonic() - started > first_s + 1
