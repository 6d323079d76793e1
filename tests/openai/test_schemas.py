"""Our answers against OpenAI's own specification, where a copy of it is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from stack import Tenant

PATH = "/v1/audio/transcriptions"
FOLDER = Path(os.environ.get("PARLANCE_TEST_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
SPEC = FOLDER / "openai" / "openai-audio-subset.yaml"


@pytest.fixture(scope="session")
def spec() -> Any:
    if not SPEC.exists():
        pytest.skip("no copy of OpenAI's specification here: set PARLANCE_TEST_SPECS to the folder that has it")
    return yaml.safe_load(SPEC.read_text("utf-8"))


def _check(spec: Any, name: str, value: Any) -> None:
    """OpenAPI's own words (nullable discriminators and the like) are passed over by the validator."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
    errors = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]
    assert errors == []


def _hear(tenant: Tenant, data: bytes, *, path: str = PATH, **fields: Any) -> Any:
    form = {"model": "whisper-1"} | fields
    answer = tenant.test.post(path, data=form, files={"file": ("a.wav", data, "audio/wav")})
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.headers["content-type"] == "application/json" else answer.text


VERBOSE = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
JSON_ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "json": ({}, "CreateTranscriptionResponseJson"),
    "json of gpt-transcribe": ({"model": "gpt-transcribe"}, "CreateTranscriptionResponseJson"),
    "verbose_json": (VERBOSE, "CreateTranscriptionResponseVerboseJson"),
    "diarized_json": (
        {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"},
        "CreateTranscriptionResponseDiarizedJson",
    ),
}


@pytest.mark.parametrize(("fields", "name"), JSON_ANSWERS.values(), ids=JSON_ANSWERS.keys())
def test_a_transcription_is_what_openai_specifies(
    spec: Any, anna: Tenant, clip: bytes, fields: dict[str, Any], name: str
) -> None:
    _check(spec, name, _hear(anna, clip, **fields))


@pytest.mark.parametrize(("form", "name"), [("json", "Json"), ("verbose_json", "VerboseJson")])
def test_a_translation_is_what_openai_specifies(spec: Any, anna: Tenant, clip: bytes, form: str, name: str) -> None:
    heard = _hear(anna, clip, path="/v1/audio/translations", response_format=form)
    _check(spec, f"CreateTranslationResponse{name}", heard)


def test_models_are_what_openai_specifies(spec: Any, anna: Tenant) -> None:
    _check(spec, "ListModelsResponse", anna.live.get("/v1/models").json())
    _check(spec, "Model", anna.live.get("/v1/models/whisper-1").json())


def test_errors_are_what_openai_specifies(spec: Any, anna: Tenant) -> None:
    for path in ("/v1/models/none", "/v1/audio/none", PATH):
        _check(spec, "ErrorResponse", anna.live.get(path).json())


def test_events_are_what_openai_specifies(spec: Any, anna: Tenant, clip: bytes) -> None:
    """But for `usage` at the end: OpenAI counts tokens there, and we bill seconds."""
    fields = {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json", "stream": "true"}
    lines = [line.removeprefix("data: ") for line in _hear(anna, clip, **fields).split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    names = {"delta": "DeltaEvent", "segment": "SegmentEvent", "done": "DoneEvent"}
    seen = []
    for event in map(json.loads, lines):
        kind = event["type"].rpartition(".")[2]
        if kind == "done":
            _check(spec, "TranscriptTextUsageDuration", event.pop("usage"))
        _check(spec, f"TranscriptText{names[kind]}", event)
        seen.append(kind)
    assert seen == ["delta", "segment", "done"]
