"""Text, captions and words of a transcription over HTTP: the same renderer for every engine, saved under its name."""

from __future__ import annotations

import json
import re
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from stack import Tenant

from speech.captions.graphemes import visible_length
from tests.api.calls import check_problem, ended, order, upload
from tests.api.media import tone, wav

PATH = "/v1/transcriptions"
CUE = re.compile(r"^(\d\d):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d):(\d\d):(\d\d)[.,](\d{3})\n((?:.+\n)+)", re.MULTILINE)
SAID = "오늘은 날씨가 아주 좋아서 공원에 산책하러 나갔습니다. 내일도 날씨가 좋으면 친구와 함께 다시 가기로 했습니다."


def _cues(text: str) -> list[tuple[int, int, list[str]]]:
    found = []
    for match in CUE.finditer(text):
        start, end = (
            ((int(h) * 60 + int(m)) * 60 + int(s)) * 1000 + int(ms)
            for h, m, s, ms in (match.groups()[:4], match.groups()[4:8])
        )
        found.append((start, end, match[9].strip("\n").split("\n")))
    return found


def _transcribe(tenant: Tenant, data: bytes, *, filename: str = "clip.wav", **fields: Any) -> Any:
    ticket = tenant.live.post(
        "/v1/uploads", json={"filename": filename, "content_type": "audio/wav", "size_bytes": len(data)}
    ).json()
    signed = ticket["upload"]
    assert tenant.live.put(signed["url"], content=data, headers=signed["headers"]).status_code == 200
    body = {"upload_id": ticket["id"], "engine": "simulated", **fields}
    done = ended(tenant.live, tenant.live.post(PATH, json=body).json()["id"])
    assert done["status"] == "completed", done
    return done


@pytest.fixture(scope="module")
def korean(alice_http: Tenant) -> Any:
    """A minute of Korean, from a file with a Korean name."""
    says = {"language": "ko", "simulate": f"says:{SAID}"}
    return _transcribe(alice_http, tone(20_000), filename="회의 녹음.wav", **says)


def _get(tenant: Tenant, done: Any, **look: Any) -> Any:
    return tenant.live.get(f"{PATH}/{done['id']}/transcript", params=look)


@pytest.mark.parametrize(("engine", "language"), [("simulated", "ko"), ("simulated", "en"), ("pocketsphinx", "en")])
def test_every_engine_has_every_form(alice_http: Tenant, speech_clips: list[Path], engine: str, language: str) -> None:
    body = {
        "upload_id": upload(alice_http.live, speech_clips[0].read_bytes()), "engine": engine, "language": language,
    }  # fmt: skip
    done = ended(alice_http.live, alice_http.live.post(PATH, json=body).json()["id"], tries=6)
    assert done["status"] == "completed", done["error"]
    words = done["text"].split()
    for form in ("srt", "vtt"):
        cues = _cues(_get(alice_http, done, format=form, speakers=False).text)
        assert " ".join(line for *_, rows in cues for line in rows).split() == words
        assert all(one[1] <= two[0] for one, two in pairwise(cues))
        width = 16 if language == "ko" else 42
        assert all(len(rows) <= 2 and visible_length(row) <= width for *_, rows in cues for row in rows)
    assert _get(alice_http, done, format="text").text.split() == words
    told = _get(alice_http, done, format="json").json()
    assert (told["text"], told["words"], told["segments"]) == (done["text"], done["words"], done["segments"])
    timed = re.findall(r"<\d\d:\d\d:\d\d\.\d{3}>", _get(alice_http, done, format="vtt", word_times=True).text)
    assert len(timed) >= len(words) // 2


def test_wishes_change_the_captions(alice_http: Tenant, korean: Any) -> None:
    def rows(**look: Any) -> list[str]:
        return [row for *_, rows in _cues(_get(alice_http, korean, format="srt", **look).text) for row in rows]

    plain = rows()
    assert max(map(visible_length, plain)) <= 16
    assert " ".join(plain).split() == korean["text"].split()  # between eojeol only
    assert 16 < max(map(visible_length, rows(max_line_chars=40))) <= 40
    one_line = _cues(_get(alice_http, korean, format="vtt", max_lines=1).text)
    assert all(len(lines) == 1 for *_, lines in one_line)


def test_cues_keep_the_wished_times(alice_http: Tenant, korean: Any) -> None:
    look = {"format": "vtt", "min_cue_ms": 500, "max_cue_ms": 1500, "max_chars_per_s": 100}
    cues = _cues(_get(alice_http, korean, **look).text)
    assert all(end_ms - start_ms <= 1500 for start_ms, end_ms, _ in cues)
    slow = _cues(_get(alice_http, korean, format="vtt", max_chars_per_s=1, max_cue_ms=60_000).text)
    assert all(one[1] == two[0] for one, two in pairwise(slow))  # to be read so slowly, each stays until the next


def test_channels_are_named_as_speakers(alice_http: Tenant) -> None:
    one = tone(4_000)[44:]
    stereo = wav(b"".join(one[at : at + 2] * 2 for at in range(0, len(one), 2)), channels=2)
    done = _transcribe(alice_http, stereo, multichannel=True, simulate="says:Good morning to all of you.")
    assert {segment["channel"] for segment in done["segments"]} == {0, 1}
    for form, label in (("srt", "Channel 2: "), ("vtt", "<v Channel 2>"), ("text", "Channel 2: ")):
        assert label in _get(alice_http, done, format=form).text
        assert "Channel" not in _get(alice_http, done, format=form, speakers=False).text


def test_text_can_be_one_line(alice_http: Tenant, korean: Any) -> None:
    assert _get(alice_http, korean, format="text", paragraphs=False).text == korean["text"] + "\n"


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("json", "application/json"), ("text", "text/plain"), ("srt", "application/x-subrip"), ("vtt", "text/vtt"),
    ],
)  # fmt: skip
def test_a_download_is_named_after_the_recording(alice_http: Tenant, korean: Any, form: str, media_type: str) -> None:
    shown, saved = (_get(alice_http, korean, format=form, download=download) for download in (False, True))
    ending = "txt" if form == "text" else form
    assert "content-disposition" not in shown.headers
    assert saved.headers["content-disposition"] == (
        f"attachment; filename=\"__ __.{ending}\"; filename*=UTF-8''%ED%9A%8C%EC%9D%98%20%EB%85%B9%EC%9D%8C.{ending}"
    ).replace("__ __", korean["id"])
    assert saved.headers["content-type"] == shown.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert saved.content == shown.content
    assert unicodedata.is_normalized("NFC", saved.content.decode())


def test_no_file_name_breaks_out_of_the_header(alice_http: Tenant) -> None:
    done = _transcribe(alice_http, tone(), filename='a"; x="\u202e\u2066b.wav')
    told = _get(alice_http, done, format="srt", download=True).headers["content-disposition"]
    assert told == 'attachment; filename="a_; x=_b.srt"'


@pytest.mark.parametrize(
    ("form", "look", "field"),
    [
        ("srt", {"word_times": True}, "word_times"),
        ("text", {"word_times": False}, "word_times"),
        ("json", {"max_line_chars": 42}, "max_line_chars"),
        ("text", {"max_lines": 1}, "max_lines"),
        ("json", {"speakers": False}, "speakers"),
        ("vtt", {"paragraphs": False}, "paragraphs"),
        ("text", {"max_chars_per_s": 10}, "max_chars_per_s"),
        ("text", {"paragraphs": False, "speakers": True}, "speakers"),
        ("srt", {"min_cue_ms": 3000, "max_cue_ms": 2000}, "min_cue_ms"),
        ("srt", {"max_line_chars": 7}, "max_line_chars"),
        ("srt", {"max_lines": 5}, "max_lines"),
        ("srt", {"max_cue_ms": 0}, "max_cue_ms"),
        ("srt", {"max_lines": "two"}, "max_lines"),
        ("docx", {}, "format"),
        ("srt", {"max_chars": 10}, "max_chars"),
    ],
)
def test_a_wish_that_the_format_cannot_fulfil_is_refused_and_named(
    alice_http: Tenant, korean: Any, form: str, look: dict[str, Any], field: str
) -> None:
    refused = _get(alice_http, korean, format=form, **look)
    assert check_problem(refused, 422, "invalid_request")["errors"][0]["field"] == field


def test_a_canceled_job_shows_what_had_been_read_and_no_more(alice_http: Tenant, database: Any) -> None:
    """As if its first part had been handed out by a stream: 0.6 of its 1 s is readable when it is canceled."""
    made = order(alice_http.live, tone(1_000), simulate="slow:60000").json()["id"]
    path = f"{PATH}/{made}"
    while alice_http.live.get(path, headers={"Prefer": "wait=1"}).json()["engine"] is None:
        pass
    check_problem(alice_http.live.get(f"{path}/transcript"), 409, "not_ready")
    _hand_out(database, alice_http, made, text="그 부분은 읽었습니다.", readable_ms=600)
    canceled = alice_http.live.post(f"{path}/cancel").json()
    assert canceled["status"] == "canceled"
    assert alice_http.live.get(f"{path}/transcript").json()["text"] == "그 부분은 읽었습니다."
    srt = alice_http.live.get(f"{path}/transcript", params={"format": "srt"})
    assert "그 부분은 읽었습니다." in srt.text


def test_a_canceled_job_of_which_nothing_was_read_has_no_transcript(alice_http: Tenant) -> None:
    made = order(alice_http.live, tone(1_000), simulate="slow:60000").json()["id"]
    alice_http.live.post(f"{PATH}/{made}/cancel")
    check_problem(alice_http.live.get(f"{PATH}/{made}/transcript"), 409, "no_transcript")


def _hand_out(database: Any, tenant: Tenant, shown_id: str, *, text: str, readable_ms: int) -> None:
    """A heard part of the job, as a worker stores it, marked as read."""
    from apikit import ids
    from speech.transcript import Segment, assemble, to_json
    from tests.api.calls import tenant_uuid

    job_id = ids.parse(ids.TRANSCRIPTION, shown_id)
    part = assemble([Segment(0, 0, readable_ms, text)], language="ko", duration_ms=readable_ms)
    schema = f"t_{tenant_uuid(tenant).hex}"
    database.execute(
        f'INSERT INTO "{schema}".checkpoint (job_id, ordinal, start_ms, end_ms, engine, body)'
        " VALUES (%s, 0, 0, %s, 'simulated', %s)",
        [job_id, readable_ms, json.dumps(to_json(part))],
    )
    database.execute("UPDATE job SET readable_ms = %s WHERE id = %s", [readable_ms, job_id])
