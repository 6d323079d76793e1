"""Times of words and captions over HTTP. The simulated voice speaks 60 ms for each letter and 60 ms for each word."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from stack import Tenant

from tests.api.calls import check_problem
from tests.api.test_speech import ended, say

LONG = " ".join(f"Sentence {number} has some words; it is one of many." for number in range(130))


def timings(tenant: Tenant, answer: httpx.Response) -> Any:
    told = tenant.live.get(f"{answer.headers['location']}/timings")
    assert told.status_code == 200, told.text
    return told.json()


def check_times(told: Any, text: str) -> None:
    """In order, without a gap, up to the end of the audio, over the whole text."""
    rows = told["data"]
    assert told["text"] == text
    assert [row["text"] for row in rows] == [text[row["start"] : row["end"]] for row in rows]
    assert "".join("".join(row["text"] for row in rows).split()) == "".join(text.split())
    assert rows[0]["start_ms"] == 0
    assert [row["end_ms"] for row in rows] == [*(row["start_ms"] for row in rows[1:]), told["duration_ms"]]
    assert all(row["start_ms"] <= row["end_ms"] for row in rows)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_times_hold_across_parts_that_were_spoken_apart(alice_http: Tenant, speed: float) -> None:
    accepted = say(alice_http, LONG, timings="word", speed=speed)
    assert accepted.status_code == 202, accepted.text
    done = ended(alice_http, accepted.json()["id"])
    told = timings(alice_http, accepted)
    check_times(told, LONG)
    assert (told["duration_ms"], done["timings"]) == (done["audio"]["duration_ms"], "word")
    at_ms = 0
    for row in told["data"]:
        assert abs(row["start_ms"] - at_ms) < len(told["data"])  # each word rounded once
        at_ms += int(60 * len(row["text"]) / speed) + 60


@pytest.mark.parametrize("kind", ["word", "sentence"])
def test_captions_are_the_text_that_was_sent(alice_http: Tenant, kind: str) -> None:
    answer = say(alice_http, LONG[:900], timings=kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    url = f"{answer.headers['location']}/captions"
    srt = alice_http.live.get(url, params={"format": "srt", "download": True})
    assert srt.headers["content-type"] == "application/x-subrip; charset=utf-8"
    assert srt.headers["content-disposition"].endswith('.srt"')
    assert " ".join(re.sub(r"\d+\n[\d:,]+ --> [\d:,]+\n", "", srt.text).split()) == " ".join(LONG[:900].split())
    vtt = alice_http.live.get(url, params={"max_lines": 1}).text
    assert vtt.startswith("WEBVTT\n")
    check_problem(alice_http.live.get(url, params={"format": "srt", "word_times": True}), 422, "invalid_request")


def test_the_built_in_engine_tells_times_of_korean_and_of_ssml(alice_http: Tenant) -> None:
    text = "안녕하세요, 만나서 반갑습니다. 오늘은 날씨가 좋네요."
    told = timings(alice_http, say(alice_http, text, engine="espeak-ng", timings="word"))
    check_times(told, text)
    assert told["data"][3]["text"] == "오늘은"
    assert 2_000 < told["data"][3]["start_ms"] < 4_000 < told["duration_ms"]
    ssml = "<speak>One <break time='2s'/> &amp; two.</speak>"
    body = {"ssml": ssml, "engine": "espeak-ng", "format": "wav", "timings": "word"}
    told = timings(alice_http, alice_http.live.post("/v1/speech", json=body))
    check_times(told, "One & two.")
    assert told["data"][-1]["start_ms"] > 2_000


def test_times_come_from_the_cache_too_and_go_with_the_job(alice_http: Tenant) -> None:
    text = "these words have times"
    say(alice_http, text)
    first, again = (say(alice_http, text, timings="word") for _ in range(2))
    assert [each.headers["x-parlance-cache"] for each in (first, again)] == ["miss", "hit"]
    alice_http.live.delete(first.headers["location"])
    told = timings(alice_http, again)
    check_times(told, text)
    assert [row["start_ms"] for row in told["data"]] == [0, 360, 720, 1020]
    check_problem(alice_http.live.get(f"{first.headers['location']}/timings"), 404, "not_found")


def test_a_term_of_the_dictionary_has_its_own_time(alice_http: Tenant) -> None:
    entry = {"language": "en", "term": "XJQ", "say_as": "ex jay cue"}
    entry_id = alice_http.live.post("/v1/dictionary", json=entry).json()["id"]
    told = timings(alice_http, say(alice_http, "The XJQ works", timings="word"))
    check_times(told, "The XJQ works")
    assert [row["start_ms"] for row in told["data"]] == [0, 240, 240 + 60 * 8 + 180]
    alice_http.live.delete(f"/v1/dictionary/{entry_id}")


def test_who_asked_for_no_times_is_told_so(alice_http: Tenant) -> None:
    plain = say(alice_http, "no times here")
    for route in ("timings", "captions"):
        check_problem(alice_http.live.get(f"{plain.headers['location']}/{route}"), 409, "no_timings")
    check_problem(say(alice_http, "what times", timings="syllable"), 422, "invalid_request")
