"""Real recordings, end to end on the demo engine. Its word error rate is printed, not called good."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from stack import Tenant

from tests.api.calls import ended, order, upload

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def _word_errors(said: list[str], heard: list[str]) -> int:
    """The least number of words to change, add or drop (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(said, start=1):
        before, row[0] = row[0], place
        for number, other in enumerate(heard, start=1):
            before, row[number] = row[number], min(row[number] + 1, row[number - 1] + 1, before + (word != other))
    return row[-1]


def _said(clip: Path) -> list[str]:
    text = clip.with_suffix(".txt")
    return _words(text.read_text("utf-8") if text.exists() else JFK)


def _hear(tenant: Tenant, clip: Path) -> Any:
    body = {"upload_id": upload(tenant.live, clip.read_bytes()), "language": "en"}
    done = ended(tenant.live, tenant.live.post("/v1/transcriptions", json=body).json()["id"])
    assert (done["status"], done["engine"], done["quality"]) == ("completed", "pocketsphinx", "demo"), done["error"]
    assert [warning["code"] for warning in done["warnings"]] == ["demo_engine"]
    times = [time for word in done["words"] for time in (word["start_ms"], word["end_ms"])]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= done["duration_ms"]
    said, heard = _said(clip), _words(done["text"])
    rate = _word_errors(said, heard) / len(said)
    sys.stdout.write(
        f"\n{clip.name}: {done['duration_ms']} ms, {len(said)} words, word error rate {rate:.0%} (demo engine)\n"
    )
    return done


@pytest.mark.parametrize("number", [0, 1])
def test_real_speech_becomes_a_transcript(alice_http: Tenant, speech_clips: list[Path], number: int) -> None:
    assert _hear(alice_http, speech_clips[number])["cost"]["currency"] == "USD"


@pytest.mark.long
def test_every_clip_becomes_a_transcript(alice_http: Tenant, speech_clips: list[Path]) -> None:
    assert all(_hear(alice_http, clip)["text"] for clip in speech_clips)


def test_what_is_heard_does_not_depend_on_what_came_before(alice_http: Tenant, speech_clips: list[Path]) -> None:
    shortest = min(speech_clips, key=lambda clip: clip.stat().st_size)
    data = shortest.read_bytes()
    heard = [
        ended(alice_http.live, order(alice_http.live, data, engine="pocketsphinx").json()["id"])["text"] for _ in "ab"
    ]
    assert heard[0] == heard[1]
