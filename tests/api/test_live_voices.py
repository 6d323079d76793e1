"""Providers' voices in the answer to the request itself: sent as the provider sends them, by the web process."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from openai import DefaultHttpxClient, OpenAI

from tests.api.clouds import HELLO, Clouds, attempts, characters, costs, ended, rows_of, said_at_once
from tests.fakes.provider import MS_PER_CHARACTER, FakeProvider, speech

VOICES = ["polly/Seoyeon", "azure/ko-KR-SunHiNeural", "openai/coral"]
LONG = "이 문장은 여러 번에 나누어 말해집니다. " * 20


@contextmanager
def held(fake: FakeProvider) -> Iterator[None]:
    """The provider's next answer stops in the middle, until the end of the block."""
    fake.faults.append("stall")
    try:
        yield
    finally:
        fake.released.set()


@pytest.fixture(autouse=True)
def free_again(clouds: Clouds) -> Iterator[None]:
    yield
    clouds.polly.released.clear()


@pytest.mark.parametrize("voice", VOICES)
def test_a_short_text_is_sent_as_the_provider_speaks_it(clouds: Clouds, voice: str) -> None:
    provider = getattr(clouds, voice.partition("/")[0])
    body = {"text": HELLO, "voice": voice, "format": "pcm", "reuse": "never"}
    with held(provider), clouds.tenant.live.stream("POST", "/v1/speech", json=body) as answer:
        assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, voice)
        heard = next(answer.iter_raw())  # while the provider is still at it
        assert heard[200:] == speech(HELLO, rate_hz=answer_rate(voice))[200 : len(heard)]
        assert answer.headers["x-accel-buffering"] == "no"
    ended(clouds, answer.headers["x-parlance-speech-id"])
    provider.released.clear()


def answer_rate(voice: str) -> int:
    return 16_000 if voice.startswith("polly") else 24_000


def test_a_call_made_for_a_request_is_written_down_like_every_other(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    answer = said_at_once(clouds, text=LONG, voice="polly/Seoyeon")
    shown = ended(clouds, answer.headers["x-parlance-speech-id"])
    assert (shown["status"], shown["audio"]["duration_ms"]) == ("completed", 20 * len(LONG.strip()))
    assert len(answer.content) == 2 * 16 * 20 * len(LONG.strip())
    calls = len(clouds.polly.asked)
    assert calls > 1
    assert attempts(clouds, shown) == ["done"] * calls
    spans = rows_of(clouds, "SELECT start_ms, end_ms FROM engine_attempt WHERE job_id = %s ORDER BY ordinal", shown)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert sum(row[3] for row in costs(clouds, shown)) == len(LONG.strip())
    assert characters(clouds.tenant) - before == len(LONG.strip())


def test_who_leaves_pays_for_the_part_that_was_begun_and_the_call_is_noted(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    body = {"text": HELLO, "voice": "polly/Seoyeon", "format": "pcm", "reuse": "never"}
    with held(clouds.polly):
        with clouds.tenant.live.stream("POST", "/v1/speech", json=body) as answer:
            next(answer.iter_raw())
        shown = ended(clouds, answer.headers["x-parlance-speech-id"])
    assert (shown["status"], characters(clouds.tenant) - before) == ("canceled", len(HELLO))
    until = time.monotonic() + 30
    while attempts(clouds, shown) == [""] and time.monotonic() < until:  # the call is given up beside all this
        time.sleep(0.05)
    assert attempts(clouds, shown) == ["stopped"]
    assert [(row[0], *row[2:4]) for row in costs(clouds, shown)] == [("polly", 1, len(HELLO))]


def test_a_stream_that_breaks_says_so_and_a_worker_makes_the_file_whole(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append("half_body")
    body = {"text": HELLO, "voice": "polly/Seoyeon", "format": "pcm", "reuse": "never"}
    with clouds.tenant.live.stream("POST", "/v1/speech", json=body) as answer, pytest.raises(httpx.RemoteProtocolError):
        answer.read()
    shown = ended(clouds, answer.headers["x-parlance-speech-id"])
    assert shown["status"] == "completed"
    assert attempts(clouds, shown) == ["provider_connection_lost", "done"]
    assert characters(clouds.tenant) - before == len(HELLO)


@pytest.fixture
def openai_sdk(clouds: Clouds) -> Iterator[OpenAI]:
    http = DefaultHttpxClient(trust_env=False)  # proxies of the environment are none of this test's business
    url = f"{clouds.stack.url}/v1"
    with OpenAI(api_key=clouds.tenant.api_key, base_url=url, max_retries=0, http_client=http) as client:
        yield client


@contextmanager
def told(client: OpenAI, **wishes: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a text that Azure speaks, as OpenAI's SDK gets them."""
    body: dict[str, Any] = {"model": "azure", "voice": "azure/ko-KR-SunHiNeural", "input": HELLO} | wishes
    events = client.audio.speech.with_streaming_response.create(
        **body, response_format="pcm", stream_format="sse", extra_body={"reuse": "never"}
    )
    with events as answer:
        lines = (line for line in answer.iter_lines() if line)
        yield (json.loads(line.removeprefix("data: ")) for line in lines)


def test_openais_sdk_hears_a_providers_voice_in_events(clouds: Clouds, openai_sdk: OpenAI) -> None:
    with told(openai_sdk) as events:
        *deltas, last = list(events)
    heard, wanted = b"".join(base64.b64decode(event["audio"]) for event in deltas), speech(HELLO, rate_hz=24_000)
    assert (len(heard), heard[200:-200]) == (len(wanted), wanted[200:-200])  # both ends are eased
    assert (last["type"], last["usage"]["characters"]) == ("speech.audio.done", len(HELLO))


def test_the_first_event_comes_while_the_provider_is_still_at_it(clouds: Clouds, openai_sdk: OpenAI) -> None:
    with held(clouds.azure), told(openai_sdk) as events:
        assert next(events)["type"] == "speech.audio.delta"
    clouds.azure.released.clear()
    [left] = clouds.tenant.live.get("/v1/speech", params={"limit": 1}).json()["data"]
    assert ended(clouds, left["id"])["status"] == "canceled"


def test_events_that_break_off_end_with_an_error_and_the_file_is_made_whole(clouds: Clouds, openai_sdk: OpenAI) -> None:
    before = characters(clouds.tenant)
    clouds.azure.faults.append("half_body")
    with told(openai_sdk) as events:
        *deltas, last = list(events)
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert last["error"]["code"] == "provider_connection_lost"
    speech_id = last["error"]["message"].split("/")[-2]
    shown = ended(clouds, speech_id)
    assert len(clouds.audio(shown).content) == 2 * 24 * MS_PER_CHARACTER * len(HELLO)
    assert characters(clouds.tenant) - before == len(HELLO)


def test_a_stream_that_breaks_for_good_is_not_finished_in_another_voice_and_costs_nothing(clouds: Clouds) -> None:
    before, body = characters(clouds.tenant), {"text": LONG, "format": "pcm", "reuse": "never"}
    with held(clouds.polly), clouds.tenant.live.stream("POST", "/v1/speech", json=body) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        clouds.polly.faults.append("no_quota")  # for the second part
        clouds.polly.released.set()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    shown = ended(clouds, answer.headers["x-parlance-speech-id"])
    assert (shown["status"], shown["error"]["code"], shown["voice"]) == ("failed", "provider_quota", "polly/Seoyeon")
    assert (shown["cost"], characters(clouds.tenant)) == (None, before)
    assert clouds.azure.asked == []  # nobody hears two voices in one file
