"""The testing kit: its answers are those of the API's document, and programs can be tested with it."""

from __future__ import annotations

import asyncio
import json
import re
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


EMPTY_LISTS = ("voices", "engines", "prices", "events", "deliveries", "webhook_endpoints")


@pytest.fixture(autouse=True)
def _checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the fake answers in these tests is what the document says of that route and status."""
    handle = FakeParlance.handle

    def watched(fake: FakeParlance, request: httpx.Request) -> httpx.Response:
        answer = handle(fake, request)
        if request.url.path.startswith("/v1/"):
            _check(request, answer)
        return answer

    monkeypatch.setattr(FakeParlance, "handle", watched)


def _check(request: httpx.Request, answer: httpx.Response) -> None:
    routes = {path: one for path, one in DOCUMENT["paths"].items() if _fits(path, request.url.path)}
    described = [one[request.method.lower()]["responses"] for one in routes.values() if request.method.lower() in one]
    kind = answer.headers.get("content-type", "").partition(";")[0]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    content = described[0].get(str(answer.status_code), {"content": problem})["content"]  # ordered failures: any status
    assert kind in content, (request.url.path, kind)
    if kind.endswith("json"):
        schema = content[kind]["schema"] | {"components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


@pytest.mark.parametrize("name", EMPTY_LISTS)
def test_its_other_lists_are_empty_and_of_the_apis_shape(name: str) -> None:
    assert getattr(FakeParlance().client(), name).list().first_page().data == []


def test_a_job_can_be_asked_for_in_every_way() -> None:
    client = FakeParlance().client()
    upload = client.upload(bytes(6 * 1_048_576), part_size_bytes=5 * 1_048_576)
    assert client.uploads.get(upload.id).status == "completed"
    heard = client.transcriptions.create(upload_id=upload.id).id
    assert client.transcriptions.transcript(heard, format="vtt").startswith("WEBVTT")
    assert client.transcriptions.transcript(heard, format="text")
    spoken = client.speech.create(text="hello").id
    assert client.speech.audio(spoken).read().startswith(b"RIFF")
    assert [client.speech.get(spoken).status, client.speech.list().first_page().data[0].id] == ["completed", spoken]
    for resource, job_id in ((client.transcriptions, heard), (client.speech, spoken)):
        with pytest.raises(parlance.Conflict):
            resource.cancel(job_id)
        assert resource.delete(job_id).deleted
    assert client.usage.get().data == []


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
