"""OpenAI's SDK has texts spoken: whole, streamed and as events, sync and async."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

import av
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from stack import Stack, Tenant

from speech.openai.speaking import MODELS, VOICES

SDK = Callable[..., OpenAI]
TEXT = "Speak this, please."


def length_ms(data: bytes) -> int:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) * 1000 // stream.rate


@pytest.mark.parametrize("model", ["simulated", "espeak-ng", "tts-1"])
def test_it_speaks_with_every_engine(sdk: SDK, anna: Tenant, model: str) -> None:
    spoken = sdk(anna.api_key).audio.speech.create(model=model, voice="alloy", input=TEXT)
    assert spoken.response.headers["content-type"] == "audio/mpeg"
    assert 500 < length_ms(spoken.content) < 10_000


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_every_format_of_openai_is_there(sdk: SDK, anna: Tenant, form: Any) -> None:
    create = sdk(anna.api_key).audio.speech.create
    spoken = create(model="simulated", voice="nova", input=TEXT, response_format=form).content
    expected_ms = length_ms(create(model="simulated", voice="nova", input=TEXT, response_format="flac").content)
    heard_ms = len(spoken) // 48 if form == "pcm" else length_ms(spoken)  # 24 kHz, 16 bits, mono
    assert heard_ms == pytest.approx(expected_ms, abs=100)


def test_a_streamed_answer_comes_in_pieces(sdk: SDK, anna: Tenant) -> None:
    options: dict[str, Any] = {"model": "simulated", "voice": "alloy", "input": "word " * 700, "response_format": "pcm"}
    with sdk(anna.api_key).audio.speech.with_streaming_response.create(**options) as streamed:
        pieces = list(streamed.iter_bytes())
    assert len(pieces) > 5
    whole = sdk(anna.api_key).audio.speech.create(**options).content
    assert b"".join(pieces) == whole


def test_events_carry_the_same_audio(sdk: SDK, anna: Tenant) -> None:
    options: dict[str, Any] = {
        "model": "simulated",
        "voice": "alloy",
        "input": TEXT + " As events.",
        "response_format": "pcm",
    }
    answer = sdk(anna.api_key).audio.speech.with_raw_response.create(**options, stream_format="sse")
    assert answer.headers["content-type"] == "text/event-stream"
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    told = [json.loads(event) for event in events]
    audio = b"".join(base64.b64decode(event["audio"]) for event in told if event["type"] == "speech.audio.delta")
    assert told[-1]["type"] == "speech.audio.done"
    assert told[-1]["usage"]["characters"] == len(options["input"])
    assert audio == sdk(anna.api_key).audio.speech.create(**options).content


def test_the_async_client_speaks_korean_by_the_texts_script(
    async_sdk: Callable[..., AsyncOpenAI], anna: Tenant
) -> None:
    async def speak() -> Any:
        async with async_sdk(anna.api_key) as client:
            return await client.audio.speech.create(model="tts-1", voice="shimmer", input="안녕하세요.")

    assert asyncio.run(speak()).response.headers["x-parlance-voice"] == "espeak-ng/ko"


@pytest.mark.parametrize("name", ["nova", "tts-1-hd"])
def test_a_tenants_alias_says_who_openais_voices_and_models_are(sdk: SDK, anna: Tenant, name: str) -> None:
    create = sdk(anna.api_key).audio.speech.create
    options: dict[str, Any] = {"model": "tts-1-hd", "voice": "nova", "input": TEXT}
    anna.live.post("/v1/voices/aliases", json={"name": name, "voice": "simulated/alan"})
    assert create(**options).response.headers["x-parlance-voice"] == "simulated/alan"
    anna.live.delete(f"/v1/voices/aliases/{name}")
    assert create(**options).response.headers["x-parlance-voice"] == "espeak-ng/en-us"


def test_models_and_voices_that_do_not_exist_are_named(sdk: SDK, anna: Tenant) -> None:
    create = sdk(anna.api_key).audio.speech.create
    with pytest.raises(openai.NotFoundError, match="tts-1"):
        create(model="tts-9", voice="alloy", input=TEXT)
    with pytest.raises(openai.BadRequestError) as refused:
        create(model="tts-1", voice="nobody", input=TEXT)
    assert (refused.value.code, refused.value.param) == ("unknown_voice", "voice")
    with pytest.raises(openai.BadRequestError) as empty:
        create(model="tts-1", voice="alloy", input="  ")
    assert empty.value.code == "text_empty"
    with pytest.raises(openai.BadRequestError) as failed:
        create(model="simulated", voice="alloy", input=TEXT, extra_body={"simulate": "permanent_error"})
    assert failed.value.code == "simulated_permanent_error"


def test_its_models_are_listed(sdk: SDK, anna: Tenant) -> None:
    assert {model.id for model in sdk(anna.api_key).models.list()} >= MODELS | {"espeak-ng"}
    assert sdk(anna.api_key).models.retrieve("tts-1").id == "tts-1"


def test_every_voice_of_openai_is_known(sdk: SDK, anna: Tenant) -> None:
    create = sdk(anna.api_key).audio.speech.create
    for voice in sorted(VOICES):
        assert create(model="simulated", voice=voice, input="Hi.", response_format="pcm").content


@pytest.fixture(scope="module")
def repeating(stack: Stack) -> Tenant:
    """Counts: nobody else makes jobs for it."""
    return stack.tenant("repeating")


def test_a_repeat_without_a_key_hears_the_first_attempts_file(sdk: SDK, repeating: Tenant) -> None:
    create = sdk(repeating.api_key).audio.speech.create
    options: dict[str, Any] = {"model": "espeak-ng", "voice": "alloy", "input": TEXT, "extra_body": {"reuse": "never"}}
    first = create(**options).response  # the SDK counts its attempts from 0
    again = create(**options, extra_headers={"x-stainless-retry-count": "1"}).response
    meant = create(**options).response
    ids = [answer.headers["x-parlance-speech-id"] for answer in (first, again, meant)]
    assert (ids[0] == ids[1], ids[0] == ids[2]) == (True, False)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    other = create(**options | {"input": "Another text."}, extra_headers={"x-stainless-retry-count": "1"}).response
    assert other.headers["x-parlance-speech-id"] not in ids
    assert len(repeating.live.get("/v1/speech").json()["data"]) == 3
