"""Every format of every engine, through OpenAI's own SDK."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from stack import Tenant

from workers.demo import voice

SDK = Callable[..., OpenAI]
AsyncSDK = Callable[..., AsyncOpenAI]
TEXTS = ("text", "srt", "vtt")
FORMATS = ("json", *TEXTS, "verbose_json")
# Name, whether the key is live, and the engine that must have answered.
ENGINES = {
    "pocketsphinx": ("pocketsphinx", True, "pocketsphinx"),
    "simulated, live": ("simulated", True, "simulated"),
    "simulated, test": ("gpt-4o-transcribe", False, "simulated"),
}
# The SDK warns that OpenAI ends translations; here they go on.
DYING = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
CUE = re.compile(r"\d\d:\d\d:\d\d[,.]\d{3} --> \d\d:\d\d:\d\d[,.]\d{3}\n\S")


def _hear(client: OpenAI, data: bytes, **options: Any) -> Any:
    return client.audio.transcriptions.create(file=("call.wav", data), **options)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("form", FORMATS)
def test_it_answers_in_every_format_from_every_engine(
    sdk: SDK, anna: Tenant, spoken: bytes, name: str, form: str
) -> None:
    model, live, engine = ENGINES[name]
    client = sdk(anna.api_key if live else anna.test_api_key)
    _check(_hear(client, spoken, model=model, response_format=form), form, engine)


@pytest.mark.parametrize("name", ENGINES)
def test_the_asynchronous_client_gets_the_same(async_sdk: AsyncSDK, anna: Tenant, spoken: bytes, name: str) -> None:
    model, live, engine = ENGINES[name]

    async def hear() -> list[Any]:
        async with async_sdk(anna.api_key if live else anna.test_api_key) as client:
            create: Any = client.audio.transcriptions.create
            asked = (create(file=("call.wav", spoken), model=model, response_format=form) for form in FORMATS)
            return await asyncio.gather(*asked)

    for form, answer in zip(FORMATS, asyncio.run(hear()), strict=True):
        _check(answer, form, engine)


@pytest.mark.parametrize("model", ["whisper-1", "pocketsphinx/en-us"])
def test_an_alias_is_any_engine_that_can(sdk: SDK, anna: Tenant, spoken: bytes, model: str) -> None:
    _check(_hear(sdk(anna.api_key), spoken, model=model), "json", "pocketsphinx")


def _check(answer: Any, form: str, engine: str) -> None:
    if form in TEXTS:
        assert isinstance(answer, str)
        text = answer
    else:
        text = answer.text
        assert answer.x_parlance["engine"] == engine
        assert (answer.usage.type, answer.usage.seconds > 2) == ("duration", True)
    if engine == "pocketsphinx":
        heard = re.sub(r"[\d:,.>-]+|WEBVTT", " ", text)
        assert voice.word_error_rate(voice.SENTENCE, heard=heard) < 0.5
    if form == "text":
        assert (text[-1], text.count("\n")) == ("\n", 1)
    if form in {"srt", "vtt"}:
        assert CUE.search(text)
        assert text.startswith("WEBVTT\n" if form == "vtt" else "1\n")
    if form == "verbose_json":
        assert answer.language == "english"
        assert answer.duration == answer.usage.seconds
        assert answer.segments[-1].end <= answer.duration


@pytest.mark.parametrize("model", ["simulated", "pocketsphinx"])
def test_the_text_is_the_same_in_all_formats(sdk: SDK, anna: Tenant, spoken: bytes, model: str) -> None:
    client = sdk(anna.api_key)
    plain = _hear(client, spoken, model=model).text
    verbose = _hear(client, spoken, model=model, response_format="verbose_json")
    assert _hear(client, spoken, model=model, response_format="text") == plain + "\n"
    assert verbose.text == plain
    assert " ".join(segment.text for segment in verbose.segments) == plain
    captions = _hear(client, spoken, model=model, response_format="vtt")
    shown = [line for line in captions.splitlines()[1:] if line and "-->" not in line]
    assert " ".join(shown) == plain


@pytest.mark.parametrize("model", ["simulated", "pocketsphinx"])
@pytest.mark.parametrize(
    ("asked", "segments", "words"),
    [(None, True, False), (["segment"], True, False), (["word"], False, True), (["word", "segment"], True, True)],
)
def test_it_brings_the_granularities_that_were_asked_for(
    sdk: SDK, anna: Tenant, spoken: bytes, model: str, asked: Any, segments: bool, words: bool
) -> None:
    options = {"timestamp_granularities": asked} if asked else {}
    answer = _hear(sdk(anna.api_key), spoken, model=model, response_format="verbose_json", **options)
    assert (answer.segments is not None, answer.words is not None) == (segments, words)
    if words:
        assert [word.word for word in answer.words] == answer.text.split()
        times = [time for word in answer.words for time in (word.start, word.end)]
        assert times == sorted(times)


def test_segments_have_every_field_of_openais(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    answer = _hear(sdk(anna.test_api_key), clip, model="whisper-1", response_format="verbose_json", temperature=0.25)
    first = answer.segments[0]
    assert (first.id, first.seek, first.tokens, first.temperature) == (0, 0, [], 0.25)
    assert (first.avg_logprob, first.compression_ratio, first.no_speech_prob) == (0, 0, 0)


def test_speakers_come_with_diarized_json(sdk: SDK, anna: Tenant, spoken: bytes) -> None:
    for options in (
        {"model": "gpt-4o-transcribe-diarize"},
        {"model": "whisper-1", "extra_body": {"diarize": True, "speakers": 2}},
    ):
        answer = _hear(sdk(anna.test_api_key), spoken, response_format="diarized_json", **options)
        assert [(segment.id, segment.speaker) for segment in answer.segments] == [("seg_000", "A"), ("seg_001", "B")]
        assert {segment.type for segment in answer.segments} == {"transcript.text.segment"}
        assert (answer.task, answer.duration) == ("transcribe", answer.usage.seconds)
        assert " ".join(segment.text for segment in answer.segments) == answer.text


def test_known_speakers_are_named_in_the_order_in_which_they_are_heard(sdk: SDK, anna: Tenant, spoken: bytes) -> None:
    options: Any = {"model": "gpt-4o-transcribe-diarize", "known_speaker_names": ["Ada", "Bob"]}
    client = sdk(anna.test_api_key)
    answer = _hear(client, spoken, response_format="diarized_json", **options)
    assert [segment.speaker for segment in answer.segments] == ["Ada", "Bob"]
    captions = _hear(client, spoken, response_format="vtt", **options)
    assert "<v Ada>" in captions
    assert "<v Bob>" in captions


def test_captions_keep_to_the_lines_that_were_asked_for(sdk: SDK, anna: Tenant, spoken: bytes) -> None:
    captions = _hear(
        sdk(anna.test_api_key), spoken, model="whisper-1", response_format="srt",
        extra_body={"max_line_chars": 12, "max_lines": 1},
    )  # fmt: skip
    cues = [cue.splitlines()[2:] for cue in captions.split("\n\n")]
    assert {len(lines) for lines in cues} == {1}
    assert max(len(line) for lines in cues for line in lines) <= 12


@pytest.mark.parametrize(
    ("language", "name"), [("ko", "korean"), ("ko-KR", "korean"), ("en", "english"), ("pt-BR", "portuguese")]
)
def test_a_language_is_told_by_its_english_name(sdk: SDK, anna: Tenant, clip: bytes, language: str, name: str) -> None:
    client = sdk(anna.test_api_key)
    answer = _hear(client, clip, model="whisper-1", response_format="verbose_json", language=language)
    assert answer.language == name
    if name == "korean":
        assert re.search("[가-힣]", answer.text)


def test_gpt_transcribe_tells_the_languages_it_heard(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    client = sdk(anna.test_api_key)
    answer = _hear(client, clip, model="gpt-transcribe", languages=["ko", "en"], keywords=["Parlance"])
    assert [language.code for language in answer.languages] == ["ko"]
    assert "Parlance" in answer.text
    assert _hear(client, clip, model="whisper-1").languages is None


@DYING
@pytest.mark.parametrize("form", FORMATS)
def test_translations_are_english(sdk: SDK, anna: Tenant, clip: bytes, form: Any) -> None:
    client = sdk(anna.test_api_key)
    answer: Any = client.audio.translations.create(file=("a.wav", clip), model="whisper-1", response_format=form)
    text = answer if isinstance(answer, str) else answer.text
    assert re.search("[a-z]{3}", text)
    assert text.isascii()
    if form == "verbose_json":
        assert (answer.language, answer.task, answer.duration) == ("english", "translate", 2.0)


@DYING
def test_an_asynchronous_translation_is_the_same(sdk: SDK, async_sdk: AsyncSDK, anna: Tenant, clip: bytes) -> None:
    async def translate() -> str:
        async with async_sdk(anna.test_api_key) as client:
            return (await client.audio.translations.create(file=("a.wav", clip), model="whisper-1")).text

    same = sdk(anna.test_api_key).audio.translations.create(file=("a.wav", clip), model="whisper-1")
    assert asyncio.run(translate()) == same.text


def test_an_answer_names_its_request_and_its_job(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    raw = sdk(anna.test_api_key).audio.transcriptions.with_raw_response.create(file=("a.wav", clip), model="whisper-1")
    assert raw.headers["x-request-id"] == raw.headers["request-id"]
    assert int(raw.headers["openai-processing-ms"]) >= 0
    job = raw.headers["x-parlance-transcription-id"]
    assert raw.parse().x_parlance["id"] == job  # type: ignore[attr-defined]
    assert not {"x-parlance-wait", "x-parlance-then", "x-parlance-wait-s", "x-parlance-stream"} & raw.headers.keys()
    same = anna.test.get(f"/v1/transcriptions/{job}").json()
    assert (same["status"], same["text"]) == ("completed", raw.parse().text)


def test_a_live_job_is_metered_like_any_other(sdk: SDK, oscar: Tenant, clip: bytes) -> None:
    before = oscar.live.get("/v1/usage").json()["totals"]
    answer: Any = _hear(sdk(oscar.api_key), clip, model="simulated")
    usage = oscar.live.get("/v1/usage").json()
    assert answer.x_parlance["cost"]["currency"] == "USD"
    assert usage["totals"] != before
    assert {line["quantity"] for line in usage["data"] if line["engine"] == "simulated"} == {2_000}
