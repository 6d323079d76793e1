"""What customers may ask of the hearing: each option has its effect, and what cannot be done is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from stack import Tenant

from tests.api.calls import check_problem, ended, order, transcribe, upload, usage
from tests.api.media import tone, wav


def _stereo(duration_ms: int = 2_000) -> bytes:
    """Two channels that sound differently."""
    count = 16 * duration_ms
    left, right = (np.arange(count) * step % 20_000 - 10_000 for step in (400, 700))
    return wav(np.stack([left, right], axis=1).astype("<i2").tobytes(), channels=2)


def _half_silent() -> bytes:
    """Two seconds of noise in bursts, then two of silence."""
    noise = np.random.default_rng(1).normal(0, 6_000, 32_000)
    bursts = noise * (np.arange(32_000) // 4_000 % 2)
    return wav(np.concatenate([bursts, np.zeros(32_000)]).astype("<i2").tobytes())


def test_each_channel_is_heard_by_itself(quiet_http: Tenant) -> None:
    done = transcribe(quiet_http.live, _stereo(), multichannel="true")
    assert done["status"] == "completed"
    assert {segment["channel"] for segment in done["segments"]} == {0, 1}
    texts = {channel: _text_of(done, channel) for channel in (0, 1)}
    assert texts[0] != texts[1]
    starts = [segment["start_ms"] for segment in done["segments"]]
    assert starts == sorted(starts)
    assert (done["duration_ms"], done["progress"]["percent"]) == (2000, 100)


def _text_of(done: Any, channel: int) -> str:
    return " ".join(segment["text"] for segment in done["segments"] if segment["channel"] == channel)


def test_one_channel_can_be_asked_for_as_channels_too(alice_http: Tenant, clip: bytes) -> None:
    done = transcribe(alice_http.live, clip, multichannel="true")
    assert {segment["channel"] for segment in done["segments"]} == {0}


def test_only_the_wanted_range_is_heard_and_billed(quiet_http: Tenant) -> None:
    before = usage(quiet_http.live)
    done = transcribe(quiet_http.live, tone(5_000), audio_start_ms="1000", audio_end_ms="3000")
    assert done["duration_ms"] == 2000
    assert all(1000 <= word["start_ms"] < word["end_ms"] <= 3000 for word in done["words"])
    after = usage(quiet_http.live)
    assert _audio_ms(after) - _audio_ms(before) == 2000


def _audio_ms(shown: Any) -> int:
    return sum(line["quantity"] for line in shown["data"] if line["meter"] == "audio_ms")


def test_a_range_beyond_the_end_is_a_failure_with_a_reason(alice_http: Tenant, clip: bytes) -> None:
    failed = transcribe(alice_http.live, clip, audio_start_ms="5000")
    assert (failed["status"], failed["error"]["code"], failed["cost"]) == ("failed", "audio_range_empty", None)
    assert "1000 ms" in failed["error"]["detail"]


def test_a_recording_without_enough_speech_is_refused_for_nothing(alice_http: Tenant) -> None:
    failed = transcribe(alice_http.live, _half_silent(), speech_threshold="0.9")
    assert (failed["status"], failed["error"]["code"]) == ("failed", "speech_threshold_not_met")
    assert failed["cost"] is None
    assert transcribe(alice_http.live, _half_silent(), speech_threshold="0.01")["status"] == "completed"


def test_the_language_is_found_out_among_candidates(alice_http: Tenant, clip: bytes) -> None:
    done = transcribe(alice_http.live, clip, languages="ko, en")
    assert (done["language"], done["language_confidence"]) == ("ko", 0.9)
    named = transcribe(alice_http.live, clip, language="ko")
    assert named["language"] == "ko"
    assert "language_confidence" not in named


def test_speakers_are_labelled(alice_http: Tenant) -> None:
    done = transcribe(alice_http.live, tone(12_000), diarize="true", speakers="3")
    assert {segment["speaker"] for segment in done["segments"]} == {"A", "B", "C"}
    assert all(word["speaker"] in "ABC" for word in done["words"])


def test_words_can_be_left_out(alice_http: Tenant, clip: bytes) -> None:
    done = transcribe(alice_http.live, clip, word_timestamps="false")
    assert "words" not in done
    assert done["segments"]


def test_terms_prompt_filters_and_translation_reach_the_engine(alice_http: Tenant, clip: bytes) -> None:
    body = {
        "upload_id": upload(alice_http.live, clip), "engine": "simulated", "language": "ko", "task": "translate",
        "vocabulary": ["한국"], "prompt": "Two friends.", "profanity_filter": True, "redact_pii": ["all"],
        "simulate": "says:x damn ada@example.com",
    }  # fmt: skip
    done = ended(alice_http.live, alice_http.live.post("/v1/transcriptions", json=body).json()["id"])
    assert done["text"] == "한국 **** [EMAIL]"  # NFC, whatever was sent
    assert (done["language"], done["task"]) == ("en", "translate")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"diarize": "true"}, "speaker labels"),
        ({"vocabulary": "Parlance"}, "custom vocabulary"),
        ({"prompt": "hello"}, "a prompt"),
        ({"task": "translate"}, "translation to English"),
        ({"redact_pii": "all"}, "redaction of personal data"),
        ({"profanity_filter": "true"}, "a profanity filter"),
        ({"languages": "en,en-GB"}, "language detection"),
    ],
)
def test_an_engine_that_cannot_is_never_taken_silently(
    alice_http: Tenant, clip: bytes, fields: dict[str, str], wrong: str
) -> None:
    refused = check_problem(order(alice_http.live, clip, engine="pocketsphinx", **fields), 422, "no_engine")
    assert wrong in refused["detail"]
    assert "simulated" in refused["detail"]  # the one that can
    assert order(alice_http.live, clip, engine="simulated", **fields).status_code == 202


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": "xx"}, "language"),
        ({"language": "en", "languages": "ko"}, "languages"),
        ({"speakers": "2"}, "speakers"),
        ({"speaker_scope": "part"}, "speaker_scope"),
        ({"diarize": "true", "speakers": "2", "max_speakers": "3"}, "speakers"),
        ({"diarize": "true", "min_speakers": "3", "max_speakers": "2"}, "max_speakers"),
        ({"diarize": "true", "multichannel": "true"}, "diarize"),
        ({"audio_start_ms": "2000", "audio_end_ms": "1000"}, "audio_end_ms"),
        ({"speech_threshold": "1.5"}, "speech_threshold"),
        ({"diarize": "perhaps"}, "diarize"),
        ({"task": "sing"}, "task"),
        ({"model": "none-such"}, "model"),
        ({"reuse": "sometimes"}, "reuse"),
    ],
)
def test_contradictions_name_the_field(alice_http: Tenant, clip: bytes, fields: dict[str, str], field: str) -> None:
    answer = order(alice_http.live, clip, **fields)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert len(answer.json()["errors"][0]["detail"]) > 10


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "media_empty"),
        (b"Hello, I am a text.\n" * 50, "media_not_audio"),
        (b"%PDF-1.7\n" + bytes(999), "media_not_audio"),
    ],
)
def test_what_is_no_audio_is_refused_before_a_job_exists(alice_http: Tenant, data: bytes, code: str) -> None:
    before = _newest(alice_http)
    refused = check_problem(order(alice_http.live, data), 422, code)
    assert refused["errors"][0]["field"] == "file"
    if data:
        body = {"upload_id": upload(alice_http.live, data), "engine": "simulated"}
        refused = check_problem(alice_http.live.post("/v1/transcriptions", json=body), 422, code)
        assert refused["errors"][0]["field"] == "upload_id"
    assert _newest(alice_http) == before


def _newest(tenant: Tenant) -> list[str]:
    return [job["id"] for job in tenant.live.get("/v1/transcriptions", params={"limit": 1}).json()["data"]]
