"""The testing kit: its answers are those of the API's document, and programs can be tested with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

import parlance
from parlance.testing import FakeParlance
from parlance.testing._shapes import _SENT

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi.json").read_text("utf-8"))
SHAPES = {
    "TranscriptionOut": lambda client: client.transcriptions.create(audio_url="https://example.com/a").id,
    "SpeechOut": lambda client: client.speech.create(text="hello").id,
    "UploadOut": lambda client: client.uploads.create(filename="a", size_bytes=1).id,
    "UsageOut": lambda client: client.usage.get(),
    "TranscriptionListOut": lambda client: client.transcriptions.list().first_page(),
    "TranscriptOut": lambda client: client.transcriptions.transcript(SHAPES["TranscriptionOut"](client)),
    "ProblemOut": lambda client: client.transcriptions.get("trn_x"),
}  # fmt: skip


@pytest.mark.parametrize("schema", SHAPES)
def test_its_answers_are_of_the_apis_schemas(schema: str) -> None:
    fake, bodies = FakeParlance(), []
    handle = fake.handle

    def watched(request: Any) -> Any:
        answer = handle(request)
        bodies.append(answer.json())
        return answer

    fake.handle = watched  # type: ignore[method-assign]
    try:
        SHAPES[schema](fake.client())
    except parlance.NotFound:
        assert schema == "ProblemOut"
    shape = DOCUMENT["components"]["schemas"][schema] | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(shape).validate(bodies[-1])
    assert bodies[-1].keys() <= shape["properties"].keys() | {"errors"}


def test_it_takes_the_fields_that_the_api_takes() -> None:
    for name, fields in _SENT.items():
        schema = DOCUMENT["components"]["schemas"].get(name)
        if name == "TranscriptionIn":
            content = DOCUMENT["paths"]["/v1/transcriptions"]["post"]["requestBody"]["content"]
            schema = content["application/json"]["schema"]
        assert fields == schema["properties"].keys()


def test_a_program_can_be_tested_with_it() -> None:
    fake = FakeParlance()
    fake.hear("Good morning.", "Good evening.")
    with fake.client() as client:
        first, second = client.transcribe(b"one", tags=["a"]), client.transcribe("https://example.com/two.wav")
        assert (first.text, second.text) == ("Good morning.", "Good evening.")
        assert [word.text for word in first.words] == ["Good", "morning."]
        assert first.to_srt() == "1\n00:00:00,000 --> 00:00:00,800\nGood morning.\n"
        assert [one.id for one in client.transcriptions.list(limit=1)] == [second.id, first.id]
        assert [event.name for event in client.transcriptions.stream(first.id)] == ["segment", "completed"]
        assert client.speak("hello").content.startswith(b"RIFF")
        first.delete()
        with pytest.raises(parlance.NotFound):
            client.transcriptions.get(first.id)
    assert [one.path for one in fake.sent][:3] == [
        "/v1/uploads",
        f"/blobs/{fake.sent[1].path[7:]}",
        "/v1/transcriptions",
    ]
    assert fake.sent[2].body["tags"] == ["a"]


def test_failures_can_be_ordered() -> None:
    fake = FakeParlance()
    client = fake.client()
    fake.fail_job("bad_audio")
    with pytest.raises(parlance.JobFailed) as failed:
        client.transcribe(b"x")
    assert failed.value.code == "bad_audio"
    fake.cut_connection()
    fake.fail_request(429, "rate_limited", retry_after=1)
    assert client.transcribe(b"x").text == "simulated speech"
    with httpx.Client(transport=httpx.MockTransport(fake.handle), headers={"Authorization": "Bearer k"}) as raw:
        refused = raw.post("https://fake.parlance.test/v1/transcriptions", json={"mood": "calm"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "mood")


def test_one_key_is_one_job() -> None:
    client = FakeParlance().client()
    made = {client.transcriptions.create(audio_url="https://a.example", idempotency_key="k").id for _ in range(2)}
    assert len(made) == 1


def test_it_serves_async_programs() -> None:
    async def program() -> str:
        fake = FakeParlance()
        fake.hear("Good morning.")
        async with fake.async_client() as client:
            return (await client.transcribe(b"one")).text

    assert asyncio.run(program()) == "Good morning."
