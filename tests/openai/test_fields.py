"""How fields may be written, and which ones are refused: by raw HTTP, as other SDKs and curl send them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from stack import Tenant

from tests.api.calls import raw_request
from tests.api.media import FORM, Part, form, part, tone

PATH = "/v1/audio/transcriptions"
CLIP = tone(2_000)
FILE = part("file", CLIP, filename=b"a.wav", content_type=b"audio/wav")
MODEL = part("model", b"whisper-1")


def _send(tenant: Tenant, *parts: Part, path: str = PATH) -> Any:
    answer = raw_request(tenant.test, "POST", path, body=form(*parts), headers=[("content-type", FORM)])
    body = json.loads(answer.body)
    return body if answer.status == 200 else (answer.status, body["error"])


def _texts(*fields: tuple[str, str]) -> list[Part]:
    return [part(name, value.encode()) for name, value in fields]


def test_the_order_of_fields_does_not_matter(anna: Tenant) -> None:
    fields = [MODEL, *_texts(("response_format", "verbose_json"), ("timestamp_granularities[]", "word")), FILE]
    first, last = _send(anna, *fields), _send(anna, *reversed(fields))
    assert first["words"] == last["words"] != []


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities", "timestamp_granularities[0]"])
def test_a_list_may_be_written_in_three_ways(anna: Tenant, name: str) -> None:
    heard = _send(anna, FILE, MODEL, *_texts(("response_format", "verbose_json"), (name, "word")))
    assert len(heard["words"]) == 5
    assert "segments" not in heard


@pytest.mark.parametrize("name", ["keywords", "keywords[]", "vocabulary", "vocabulary[]"])
def test_keywords_and_vocabulary_are_one(anna: Tenant, name: str) -> None:
    assert _send(anna, FILE, MODEL, *_texts((name, "Parlance")))["text"].startswith("Parlance ")


def test_a_list_may_have_a_thousand_items(anna: Tenant) -> None:
    keywords = _texts(*(("keywords[]", f"word{number}") for number in range(1_000)))
    assert _send(anna, FILE, MODEL, *keywords)["text"].startswith("word0 ")


STRATEGIES: dict[str, list[tuple[str, str]]] = {
    "auto": [("chunking_strategy", "auto")],
    "in parts": [("chunking_strategy[type]", "server_vad"), ("chunking_strategy[threshold]", "0.5")],
    "as JSON": [("chunking_strategy", '{"type":"server_vad","silence_duration_ms":200}')],
}


@pytest.mark.parametrize("fields", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_a_chunking_strategy_may_be_written_in_three_ways(anna: Tenant, fields: list[tuple[str, str]]) -> None:
    assert _send(anna, FILE, MODEL, *_texts(*fields))["text"]


METADATA: dict[str, list[tuple[str, str]]] = {
    "in parts": [("metadata[order]", "42"), ("metadata[고객]", "김")],
    "as JSON": [("metadata", '{"order":"42","고객":"김"}')],
}


@pytest.mark.parametrize("fields", METADATA.values(), ids=METADATA.keys())
def test_our_own_options_come_as_plain_fields(anna: Tenant, fields: list[tuple[str, str]]) -> None:
    more = _texts(("engine", "simulated"), ("tags[]", "a"), ("tags", "b,c"), ("audio_start_ms", "400"))
    heard = _send(anna, FILE, MODEL, *more, *_texts(*fields))
    job = anna.test.get(f"/v1/transcriptions/{heard['x_parlance']['id']}").json()
    assert job["metadata"] == {"order": "42", "고객": "김"}
    assert job["tags"] == ["a", "b", "c"]
    assert heard["usage"]["seconds"] == 1.6


Fields = list[tuple[str, str]]
WORDS: Fields = [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")]
DIARIZED = ("diarize", "true")
# What is sent beside file and model, the field at fault, and the stable code.
WRONG: dict[str, tuple[Fields, str, str]] = {
    "an unknown field": ([("colour", "blue")], "colour", "unknown_parameter"),
    "an unknown object": ([("colour[a]", "blue")], "colour[a]", "unknown_parameter"),
    "a part of a text": ([("language[a]", "en")], "language[a]", "unknown_parameter"),
    "a field of the native route": ([("audio_url", "https://example.com/a.wav")], "audio_url", "unknown_parameter"),
    "a task": ([("task", "translate")], "task", "unknown_parameter"),
    "a field twice": ([("language", "en"), ("language", "ko")], "language", "repeated"),
    "an object twice": ([("metadata", '{"a":"b"}'), ("metadata[a]", "b")], "metadata", "repeated"),
    "an object twice, turned round": ([("metadata[a]", "b"), ("metadata", "{}")], "metadata", "repeated"),
    "an unknown language": ([("language", "xx")], "language", "unknown_language"),
    "a language that is none": ([("language", "english, please")], "language", "string_pattern_mismatch"),
    "an unknown candidate": ([("languages[]", "xx")], "languages", "unknown_language"),
    "a format that is none": ([("response_format", "docx")], "response_format", "literal_error"),
    "a granularity that is none": (
        [("timestamp_granularities[]", "letter")], "timestamp_granularities.0", "literal_error",
    ),
    "a granularity without its format": (WORDS[1:], "timestamp_granularities", "contradiction"),
    "heat": ([("temperature", "1.5")], "temperature", "less_than_equal"),
    "a temperature that is none": ([("temperature", "warm")], "temperature", "float_parsing"),
    "log probabilities": ([("include[]", "logprobs")], "include", "unsupported_value"),
    "speakers nobody labels": ([("response_format", "diarized_json")], "response_format", "contradiction"),
    "names nobody bears": ([("known_speaker_names[]", "Ada")], "known_speaker_names", "contradiction"),
    "five names": ([DIARIZED, *[("known_speaker_names[]", "Ada")] * 5], "known_speaker_names", "too_long"),
    "samples of voices": (
        [DIARIZED, ("known_speaker_references[]", "data:audio/wav;base64,AA")], "known_speaker_references",
        "unsupported_value",
    ),
    "a stream of captions": ([("stream", "true"), ("response_format", "srt")], "stream", "contradiction"),
    "neither true nor false": ([("stream", "perhaps")], "stream", "bool_parsing"),
    "another strategy": ([("chunking_strategy", "never")], "chunking_strategy.literal['auto']", "literal_error"),
    "lines without captions": ([("max_line_chars", "20")], "max_line_chars", "contradiction"),
    "a number of speakers alone": ([("speakers", "2")], "speakers", "contradiction"),
    "a range backwards": ([("audio_start_ms", "900"), ("audio_end_ms", "800")], "audio_end_ms", "contradiction"),
    "words both ways": ([*WORDS, ("word_timestamps", "false")], "word_timestamps", "contradiction"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "param", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_field_is_named_with_what_to_do(
    anna: Tenant, fields: list[tuple[str, str]], param: str, code: str
) -> None:
    status, error = _send(anna, FILE, MODEL, *_texts(*fields))
    assert (status, error["param"], error["code"], error["type"]) == (400, param, code, "invalid_request_error")
    assert param in error["message"]


@pytest.mark.parametrize("field", ["language", "languages[]", "stream"])
def test_translations_take_no_language_and_no_stream(anna: Tenant, field: str) -> None:
    status, error = _send(anna, FILE, MODEL, *_texts((field, "en")), path="/v1/audio/translations")
    assert (status, error["param"], error["code"]) == (400, field.removesuffix("[]"), "unknown_parameter")


@pytest.mark.parametrize(
    "parts", [[MODEL], [MODEL, part("file", b"text")], [MODEL, part("other", CLIP, filename=b"a.wav")]]
)
def test_a_request_without_its_file_is_told_so(anna: Tenant, parts: list[Part]) -> None:
    status, error = _send(anna, *parts)
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert "`file`" in error["message"]


def test_a_request_without_a_model_is_told_so(anna: Tenant) -> None:
    status, error = _send(anna, FILE)
    assert (status, error["param"], error["code"]) == (400, "model", "missing")


def test_every_wrong_field_is_told_at_once(anna: Tenant) -> None:
    _, error = _send(anna, FILE, MODEL, *_texts(("colour", "blue"), ("size", "9")))
    assert error["param"] == "colour"
    assert "size: " in error["message"]


def test_a_json_body_is_told_to_be_a_form(anna: Tenant) -> None:
    answer: httpx.Response = anna.test.post(PATH, json={"model": "whisper-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_multipart")
