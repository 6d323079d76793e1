"""Files that are not what they say: each job fails with its reason, within seconds, and nothing is billed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from stack import Tenant

from tests.api import media
from tests.api.calls import check_problem, ended, order, usage
from tests.api.conftest import FileServer

NO_AUDIO: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"This is not audio. " * 100, "media_not_audio"),
    "html": (lambda: b"<!doctype html><script>alert(1)</script>", "media_not_audio"),
    "a playlist of a file": (lambda: media.playlist("/etc/passwd"), "media_not_audio"),
    "a playlist of a URL": (lambda: media.playlist("http://169.254.169.254/"), "media_not_audio"),
    "a concat script": (lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\n", "media_not_audio"),
    "a session description": (lambda: b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n", "media_not_audio"),
    "zip and wav in one": (media.zip_and_wav, "media_not_audio"),
    "noise": (lambda: bytes(range(256)) * 40, "media_unsupported"),
}  # fmt: skip
HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "255 channels": (media.wav_of_255_channels, {"media_too_many_channels"}),
    "a sample rate of 1 Hz": (lambda: media.wav(bytes(200), rate_hz=1), {"media_bad_rate"}),
    "a header alone": (lambda: media.wav(b""), {"media_empty"}),
    "a header that promises 4 GB": (media.lying_wav, {"media_empty", "media_damaged"}),
    "the first bytes of a FLAC": (lambda: media.silent_flac(60)[:20], {"media_damaged", "media_empty"}),
}


@pytest.mark.parametrize(("make", "code"), NO_AUDIO.values(), ids=NO_AUDIO.keys())
def test_what_is_no_audio_is_refused_at_once(quiet_http: Tenant, make: Callable[[], bytes], code: str) -> None:
    before = usage(quiet_http.live)
    refused = check_problem(order(quiet_http.live, make()), 422, code)
    assert refused["errors"][0]["field"] == "file"
    assert not _leaks(refused["detail"])
    assert usage(quiet_http.live) == before


def test_what_is_no_audio_behind_a_url_fails_with_the_same_reason(quiet_http: Tenant, file_server: FileServer) -> None:
    url = file_server.serve("/page.wav", b"<!doctype html><p>Not found</p>")
    accepted = quiet_http.live.post("/v1/transcriptions", json={"audio_url": url, "engine": "simulated"})
    failed = ended(quiet_http.live, accepted.json()["id"])
    assert (failed["status"], failed["error"]["code"], failed["cost"]) == ("failed", "media_not_audio", None)


@pytest.mark.parametrize(("make", "codes"), HOSTILE.values(), ids=HOSTILE.keys())
def test_it_fails_with_its_reason_and_costs_nothing(
    quiet_http: Tenant, database: psycopg.Connection[Any], make: Callable[[], bytes], codes: set[str]
) -> None:
    before = usage(quiet_http.live)
    accepted = order(quiet_http.live, make())
    assert accepted.status_code == 202
    failed = ended(quiet_http.live, accepted.json()["id"])
    assert (failed["status"], failed["cost"]) == ("failed", None)
    assert failed["error"]["code"] in codes
    assert failed["error"]["detail"].endswith(".")
    assert not _leaks(failed["error"]["detail"])
    assert usage(quiet_http.live) == before
    assert _held(database, failed["id"]) == 0


def _leaks(detail: str) -> bool:
    return any(leak in detail for leak in ("://", "/tmp", "/work", "Error", "passwd"))


def test_a_cut_file_is_heard_as_far_as_it_goes(quiet_http: Tenant) -> None:
    whole = media.tone(4_000)
    done = ended(quiet_http.live, order(quiet_http.live, whole[: len(whole) // 2]).json()["id"])
    assert done["status"] == "completed"
    assert 1_900 <= done["duration_ms"] <= 2_000


@pytest.mark.long
def test_a_day_of_silence_is_too_long(quiet_http: Tenant, database: psycopg.Connection[Any]) -> None:
    before, day = usage(quiet_http.live), media.silent_flac(24 * 3600)
    assert len(day) < 3_000_000
    failed = ended(quiet_http.live, order(quiet_http.live, day).json()["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "media_too_long")
    assert usage(quiet_http.live) == before
    assert _held(database, failed["id"]) == 0


def test_silence_is_heard_without_an_engine(quiet_http: Tenant) -> None:
    done = ended(quiet_http.live, order(quiet_http.live, media.silent_flac(30)).json()["id"])
    assert (done["status"], done["text"], done["words"]) == ("completed", "", [])
    assert "no_speech" in [warning["code"] for warning in done["warnings"]]


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/a.wav", "http://169.254.169.254/", "file:///etc/passwd"])
def test_a_redirect_to_a_private_address_is_not_followed(
    quiet_http: Tenant, file_server: FileServer, target: str
) -> None:
    url = file_server.redirect("/away", target)
    accepted = quiet_http.live.post("/v1/transcriptions", json={"audio_url": url, "engine": "simulated"})
    failed = ended(quiet_http.live, accepted.json()["id"])
    assert (failed["status"], failed["error"]["code"], failed["cost"]) == ("failed", "url_blocked", None)
    assert target not in str(failed)


def _held(database: psycopg.Connection[Any], shown: str) -> int:
    from apikit import ids

    row = database.execute("SELECT count(*) FROM hold WHERE job_id = %s", [ids.parse(ids.TRANSCRIPTION, shown)])
    return int(row.fetchone()[0])  # type: ignore[index]  # a count is always there
