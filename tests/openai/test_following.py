"""A stream of a job that runs, over HTTP: text comes while it is heard, and who leaves early pays for what was sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from openai import OpenAI
from stack import Stack, Tenant

from tests.api.media import tone, wav

pytest.importorskip("speech.streaming", reason="jobs cannot be followed here yet: streams come whole")

PATH = "/v1/audio/transcriptions"
PART_MS = 2_000
SLOW = "slow:400"
ENDS_S = 30


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that cuts recordings into parts of two seconds."""
    running = Stack(tmp_path_factory.mktemp("patient"), environ={"PARLANCE_SEGMENT_WORK_MS": "1"})
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def reader(patient: Stack) -> Tenant:
    return patient.tenant("reader")


def _speech(parts: int, *, seed: int) -> bytes:
    """Parts of tone with a pause between, where it can be cut."""
    sound, pause = tone(PART_MS - 300, seed=seed)[44:], bytes(2 * 16 * 300)
    return wav((sound + pause) * parts)


def _post(tenant: Tenant, data: bytes) -> Any:
    form = {"model": "simulated", "stream": "true", "simulate": SLOW}
    return tenant.live.stream("POST", PATH, data=form, files={"file": ("a.wav", data)})


def _events(answer: httpx.Response) -> Iterator[Any]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            text = line.removeprefix("data: ")
            yield text if text == "[DONE]" else json.loads(text)


def test_text_comes_while_the_recording_is_heard(reader: Tenant) -> None:
    with _post(reader, _speech(10, seed=1)) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        assert answer.headers["x-request-id"]
        job = answer.headers["x-parlance-transcription-id"]
        told = _events(answer)
        first = next(told)
        state = reader.live.get(f"/v1/transcriptions/{job}").json()["status"]
        rest = list(told)
    assert (first["type"], state) == ("transcript.text.delta", "running")
    *deltas, done, end = [first, *rest]
    assert len(deltas) > 2
    assert "".join(event["delta"] for event in deltas) == done["text"]
    assert (done["type"], end) == ("transcript.text.done", "[DONE]")
    assert done["text"] == reader.live.get(f"/v1/transcriptions/{job}").json()["text"]


@pytest.mark.parametrize("taken", [1, 2])
def test_who_leaves_early_pays_for_what_was_sent(reader: Tenant, taken: int) -> None:
    before = _billed_ms(reader)
    with _post(reader, _speech(20, seed=1 + taken)) as answer:
        job = answer.headers["x-parlance-transcription-id"]
        told = _events(answer)
        sent = "".join(next(told)["delta"] for _ in range(taken))
    ended = _ended(reader, job)
    assert ended["status"] == "canceled"
    assert ended["text"].startswith(sent)
    billed = _billed_ms(reader) - before
    assert 0 < billed < ended["duration_ms"]
    assert ended["segments"][-1]["end_ms"] <= billed


def test_the_sdk_reads_it_and_may_close_it(sdk: Callable[..., OpenAI], patient: Stack, reader: Tenant) -> None:
    client = sdk(reader.api_key, base_url=f"{patient.url}/v1")
    with client.audio.transcriptions.create(
        file=("a.wav", _speech(20, seed=9)), model="simulated", stream=True, extra_body={"simulate": SLOW}
    ) as stream:
        first = next(iter(stream))
    newest = reader.live.get("/v1/transcriptions").json()["data"][0]
    ended = _ended(reader, newest["id"])
    assert (ended["status"], first.type) == ("canceled", "transcript.text.delta")


def _ended(tenant: Tenant, job: str) -> Any:
    until = time.monotonic() + ENDS_S
    while (shown := tenant.live.get(f"/v1/transcriptions/{job}").json())["status"] in {"queued", "running"}:
        assert time.monotonic() < until
        time.sleep(0.05)
    return shown


def _billed_ms(tenant: Tenant) -> int:
    return sum(line["quantity"] for line in tenant.live.get("/v1/usage").json()["data"])
