"""The fakes of hearing providers are true: the vendors' own clients work, and the published documents agree."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes import assemblyai, azure, deepgram, google, openai
from tests.fakes.assemblyai import FakeAssemblyAi
from tests.fakes.azure import FakeAzure
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.engines import StartFake
from tests.fakes.google import FakeGoogle
from tests.fakes.hearing import said_in, text_of
from tests.fakes.openai import FakeOpenAi
from tests.fakes.provider import FakeProvider
from tests.speech_parts.conftest import ROOT, wav_file

SPECS = Path(os.environ.get("PARLANCE_TEST_SPECS", ROOT.parent / "shared" / "specs"))
HEARD = text_of(said_in(4_000))


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return wav_file(tmp_path / "tone.wav", samples=64_000)


def document(name: str) -> dict[str, Any]:
    """A provider's published document; skipped with a reason where the folder is absent."""
    path = SPECS / name
    if not path.is_file():
        pytest.skip("no published documents here: set PARLANCE_TEST_SPECS to their folder")
    yaml = pytest.importorskip("yaml")
    loaded: dict[str, Any] = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


# The vendors' own clients


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own use of pydantic
def test_assemblyais_sdk_works_against_the_fake(start_fake: StartFake, wav: Path) -> None:
    import assemblyai as aai

    fake = start_fake(FakeAssemblyAi)
    settings = aai.Settings(api_key=fake.KEY, base_url=fake.url, polling_interval=0.01)
    client = aai.Client(settings=settings)
    config = aai.TranscriptionConfig(
        speech_models=["universal-3-5-pro", "universal-2"], speaker_labels=True, language_code="ko"
    )
    heard = aai.Transcriber(client=client).transcribe(str(wav), config)
    assert (heard.text, heard.status) == (HEARD, aai.TranscriptStatus.completed)
    assert [utterance.speaker for utterance in heard.utterances or ()] == ["A", "B"]
    assert [asked.method for asked in fake.asked] == ["POST", "POST", "GET", "GET"]
    fake.faults.append("throttled")
    with pytest.raises(aai.TranscriptError):
        aai.Transcriber(client=client).transcribe(str(wav), config)
    client.http_client.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own use of websockets
def test_deepgrams_sdk_works_against_the_fake(start_fake: StartFake, wav: Path) -> None:
    from deepgram import DeepgramClient
    from deepgram.core.api_error import ApiError
    from deepgram.environment import DeepgramClientEnvironment

    fake = start_fake(FakeDeepgram)
    fake.callbacks = 0
    place = DeepgramClientEnvironment(base=fake.url, production=fake.url, agent=fake.url, agent_rest=fake.url)
    with httpx.Client() as http:
        client = DeepgramClient(api_key=fake.KEY, environment=place, httpx_client=http)
        asked: dict[str, Any] = {
            "request": wav.read_bytes(), "model": "nova-3", "smart_format": True, "diarize_model": "latest",
            "utterances": True, "keyterm": ["Parlance", "Ada"], "request_options": {"max_retries": 0},
        }  # fmt: skip
        heard: Any = client.listen.v1.media.transcribe_file(**asked)
        assert heard.results.channels[0].alternatives[0].transcript == HEARD
        assert [utterance.speaker for utterance in heard.results.utterances] == [0, 1]
        assert client.listen.v1.media.transcribe_file(**asked, callback="https://a.example") is not None
        with pytest.raises(ApiError):
            client.listen.v1.media.transcribe_file(**asked | {"model": "nova-2"})  # which has no keyterm


def test_the_openai_sdk_works_against_the_fake(start_fake: StartFake, wav: Path) -> None:
    from openai import BadRequestError, OpenAI

    fake = start_fake(FakeOpenAi)
    with OpenAI(api_key=fake.KEY, base_url=f"{fake.url}/v1", max_retries=0) as client:
        create: Any = client.audio.transcriptions.create
        with wav.open("rb") as file:
            verbose = create(
                model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word"]
            )
        assert (verbose.text, verbose.words[1].start, verbose.segments[1].start) == (HEARD, 0.5, 2.0)
        newest = create(model="gpt-transcribe", file=wav, keywords=["Ada"])
        assert newest.text == HEARD
        diarized = create(model="gpt-4o-transcribe-diarize", file=wav, response_format="diarized_json")
        assert [segment.speaker for segment in diarized.segments] == ["A", "B"]
        with pytest.warns(DeprecationWarning, match="deprecated"):  # OpenAI takes it away in February 2027
            assert client.audio.translations.create(model="whisper-1", file=wav).text == HEARD
        assert "whisper-1" in [model.id for model in client.models.list()]
        with pytest.raises(BadRequestError):
            create(model="gpt-transcribe", file=wav, response_format="verbose_json")


def test_azures_sdk_works_against_the_fake(start_fake: StartFake, wav: Path) -> None:
    from azure.ai.transcription import TranscriptionClient
    from azure.ai.transcription.models import (
        TranscriptionContent,
        TranscriptionDiarizationOptions,
        TranscriptionOptions,
    )
    from azure.core.credentials import AzureKeyCredential
    from azure.core.exceptions import HttpResponseError

    fake = start_fake(FakeAzure)
    options = TranscriptionOptions(
        locales=["ko-KR"], diarization_options=TranscriptionDiarizationOptions(max_speakers=2)
    )
    with TranscriptionClient(fake.url, AzureKeyCredential(fake.KEY), retry_total=0) as client:
        heard = client.transcribe(TranscriptionContent(definition=options, audio=("a.wav", wav.read_bytes())))
        assert heard.combined_phrases[0].text == HEARD
        assert [phrase.speaker for phrase in heard.phrases] == [1, 2]
        with pytest.raises(HttpResponseError):
            client.transcribe(TranscriptionContent(definition=options, audio=("a.wav", b"no audio")))


def test_googles_sdk_works_against_the_fake(start_fake: StartFake, wav: Path) -> None:
    from google.api_core.exceptions import ClientError
    from google.cloud import speech_v2
    from google.cloud.speech_v2.services.speech.transports.rest import SpeechRestTransport
    from google.oauth2.service_account import Credentials

    fake = start_fake(FakeGoogle)
    place = f"projects/{fake.PROJECT}/locations/us/recognizers/_"
    account: Any = Credentials.from_service_account_info(json.loads(fake.account()), scopes=[google.SCOPE])
    transport = SpeechRestTransport(host=fake.url.removeprefix("http://"), credentials=account, url_scheme="http")
    with speech_v2.SpeechClient(transport=transport) as client:
        features = {"enable_word_time_offsets": True, "diarization_config": {"min_speaker_count": 2}}
        wanted: Any = {
            "auto_decoding_config": {},
            "language_codes": ["ko-KR"],
            "model": "chirp_3",
            "features": features,
        }
        heard = client.recognize(request={"recognizer": place, "config": wanted, "content": wav.read_bytes()})
        best = heard.results[0].alternatives[0]
        assert (best.transcript, best.words[1].start_offset.total_seconds()) == (HEARD, 0.5)
        assert [word.speaker_label for word in best.words][3:5] == ["1", "2"]
        assert [asked.path for asked in fake.asked] == ["/token", f"/v2/{place}:recognize"]
        with pytest.raises(ClientError, match="known model"):
            client.recognize(request={"recognizer": place, "config": wanted | {"model": "chirp_9"}, "content": b"a"})


# The published documents


def test_assemblyais_document_has_the_fields_of_the_fake() -> None:
    schemas = document("assemblyai/openapi.yml")["components"]["schemas"]
    assert set(schemas["TranscriptOptionalParams"]["properties"]) | {"audio_url"} == assemblyai.FIELDS
    assert set(schemas["PiiPolicy"]["enum"]) == assemblyai.POLICIES


def test_deepgrams_document_has_the_parameters_of_the_fake() -> None:
    told = document("deepgram/openapi.yml")
    parameters = told["paths"]["/v1/listen"]["post"]["parameters"]
    assert {one["name"] for one in parameters if one["in"] == "query"} == deepgram.PARAMETERS
    assert set(told["components"]["schemas"]["V1ListenPostParametersModel0"]["enum"]) == deepgram.MODELS


def test_openais_document_has_the_fields_of_the_fake() -> None:
    schemas = document("openai/openai-audio-subset.yaml")["components"]["schemas"]
    assert set(schemas["CreateTranscriptionRequest"]["properties"]) == openai.TRANSCRIPTION_FIELDS
    assert set(schemas["CreateTranslationRequest"]["properties"]) == openai.TRANSLATION_FIELDS


def test_googles_messages_have_the_fields_of_the_fake() -> None:
    messages = json.loads(json.dumps(document("google/speech_v2_messages.json")))["messages"]
    for name in set(google.MESSAGES) & set(messages):
        assert {_camel(field) for field in messages[name]} == set(google.MESSAGES[name]), name


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_azures_client_knows_the_fields_of_the_fake() -> None:
    from azure.ai.transcription.models import EnhancedModeProperties, PhraseListProperties, TranscriptionOptions

    def names(model: Any) -> set[str]:
        return {field._rest_name for field in model._attr_to_rest_field.values()}

    TranscriptionOptions(), EnhancedModeProperties(), PhraseListProperties()  # which makes the tables
    assert names(TranscriptionOptions) == azure.DEFINITION
    assert names(EnhancedModeProperties) == azure.INNER["enhancedMode"]
    assert names(PhraseListProperties) == azure.INNER["phraseList"]


@dataclass(frozen=True)
class Documented:
    """An answer of a fake, and where its shape is published."""

    kind: type[FakeProvider]
    document: str
    schema: str
    ask: Callable[[Any, bytes], dict[str, Any]]


def _assemblyai_answer(fake: FakeAssemblyAi, wav: bytes) -> dict[str, Any]:
    headers, fake.polls = {"Authorization": fake.KEY}, 0
    uploaded = httpx.post(f"{fake.url}/v2/upload", content=wav, headers=headers).json()["upload_url"]
    wanted = {"audio_url": uploaded, "speech_models": ["universal-2"], "speaker_labels": True}
    work = httpx.post(f"{fake.url}/v2/transcript", json=wanted, headers=headers).json()["id"]
    told: dict[str, Any] = httpx.get(f"{fake.url}/v2/transcript/{work}", headers=headers).json()
    return told


def _deepgram_answer(fake: FakeDeepgram, wav: bytes) -> dict[str, Any]:
    headers = {"Authorization": f"Token {fake.KEY}", "Content-Type": "audio/wav"}
    query = {"model": "nova-3", "smart_format": "true", "utterances": "true", "diarize_model": "latest"}
    told: dict[str, Any] = httpx.post(f"{fake.url}/v1/listen", params=query, content=wav, headers=headers).json()
    return told


def _openai_answer(form: str, model: str) -> Callable[[FakeOpenAi, bytes], dict[str, Any]]:
    def ask(fake: FakeOpenAi, wav: bytes) -> dict[str, Any]:
        told: dict[str, Any] = httpx.post(
            f"{fake.url}/v1/audio/transcriptions", headers={"Authorization": f"Bearer {fake.KEY}"},
            data={"model": model, "response_format": form}, files={"file": ("a.wav", wav)},
        ).json()  # fmt: skip
        return told

    return ask


OPENAI = "openai/openai-audio-subset.yaml"
DOCUMENTED = {
    "assemblyai": Documented(FakeAssemblyAi, "assemblyai/openapi.yml", "Transcript", _assemblyai_answer),
    "deepgram": Documented(FakeDeepgram, "deepgram/openapi.yml", "ListenV1Response", _deepgram_answer),
    "whisper-1": Documented(
        FakeOpenAi, OPENAI, "CreateTranscriptionResponseVerboseJson", _openai_answer("verbose_json", "whisper-1")
    ),
    "gpt-transcribe": Documented(
        FakeOpenAi, OPENAI, "CreateTranscriptionResponseJson", _openai_answer("json", "gpt-transcribe")
    ),
    "diarize": Documented(
        FakeOpenAi, OPENAI, "CreateTranscriptionResponseDiarizedJson",
        _openai_answer("diarized_json", "gpt-4o-transcribe-diarize"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_an_answer_of_a_fake_has_the_published_shape(start_fake: StartFake, wav: Path, name: str) -> None:
    case = DOCUMENTED[name]
    told = document(case.document)
    from jsonschema import Draft202012Validator

    answer = case.ask(start_fake(case.kind), wav.read_bytes())
    schema = {"$ref": f"#/components/schemas/{case.schema}", "components": told["components"]}
    problems = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(answer)]
    assert problems == []
