"""What is special about each provider's engine, and that its fake is one: the vendors' own clients work against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from speech.engines import openai_voice
from speech.engines.azure_voice import billed_characters, request_body
from speech.engines.providers import PollySettings, Providers
from speech.engines.speakers import speakers_with
from speech.engines.speaking import SpokenPart
from speech.synthesis.errors import SpeakFailed
from tests.fakes.azure import FakeAzure
from tests.fakes.engines import AFTER, BEFORE, HELLO, StartFake, azure_engine, openai_engine, part, polly_engine, say
from tests.fakes.openai import FakeOpenAi
from tests.fakes.polly import FakePolly
from tests.fakes.provider import speech

# Polly


def test_polly_asks_for_plain_samples_of_the_family(start_fake: StartFake) -> None:
    fake = start_fake(FakePolly)
    say(polly_engine(fake, family="standard"), language="ko", name="Seoyeon")
    assert fake.asked[0].json() == {
        "Engine": "standard", "OutputFormat": "pcm", "SampleRate": "16000", "Text": HELLO, "TextType": "text",
        "VoiceId": "Seoyeon",
    }  # fmt: skip


def test_polly_is_told_which_language_a_bilingual_voice_is_to_speak(start_fake: StartFake) -> None:
    fake = start_fake(FakePolly)
    engine = polly_engine(fake)
    say(engine, "नमस्ते", language="hi")
    say(engine, HELLO, language="en-in", name="Kajal")
    assert [asked.json().get("LanguageCode") for asked in fake.asked] == ["hi-IN", None]


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("Ruth", {}, "voice_unavailable"),
        ("Joanna", {"text": "<speak><prosody rate='900%'>a</prosody></speak>", "is_ssml": True}, "ssml_invalid"),
    ],
)
def test_polly_refusals_are_known_by_their_code(
    start_fake: StartFake, name: str, fields: dict[str, Any], code: str
) -> None:
    engine = polly_engine(start_fake(FakePolly))
    with pytest.raises(SpeakFailed) as caught:
        list(engine.speak(replace(part(engine, name=name), **fields)))
    assert (caught.value.kind, caught.value.code) == ("permanent", code)


def test_a_foreign_key_is_refused_by_polly(start_fake: StartFake) -> None:
    with pytest.raises(SpeakFailed, match="provider_credentials_refused"):
        say(polly_engine(start_fake(FakePolly), key="AKIDFOREIGN"))


def test_a_region_has_only_the_families_that_are_there() -> None:
    def names(region: str) -> list[str]:
        return [name for name in speakers_with(Providers(polly=PollySettings(region))) if name.startswith("polly")]

    assert names("ap-northeast-2") == ["polly", "polly-standard"]
    assert names("eu-north-1") == ["polly-standard"]
    assert names("us-east-1") == ["polly", "polly-standard", "polly-generative", "polly-long-form"]


def test_boto3s_own_client_works_against_the_fake(start_fake: StartFake) -> None:
    fake = start_fake(FakePolly)
    client = boto3.session.Session().client(
        "polly", region_name=FakePolly.REGION, endpoint_url=fake.url, aws_access_key_id=FakePolly.KEY,
        aws_secret_access_key="b", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    answer = client.synthesize_speech(
        Engine="neural", OutputFormat="pcm", Text="<speak>a &amp; b</speak>", TextType="ssml", VoiceId="Seoyeon"
    )
    assert answer["AudioStream"].read() == speech("a & b", rate_hz=16_000)
    assert answer["RequestCharacters"] == 5
    with pytest.raises(ClientError) as caught:
        client.synthesize_speech(OutputFormat="pcm", Text="a" * 3_001, VoiceId="Seoyeon")
    assert caught.value.response["Error"]["Code"] == "TextLengthExceededException"
    client.close()


# OpenAI


def test_a_model_that_was_shut_down_refuses_and_names_its_successor(start_fake: StartFake) -> None:
    fake = start_fake(FakeOpenAi)
    assert say(openai_engine(fake, today=BEFORE))
    with pytest.raises(SpeakFailed) as caught:
        say(openai_engine(fake, today=AFTER))
    assert (caught.value.kind, caught.value.code) == ("permanent", "model_retired")
    assert "gpt-realtime-2.1-mini" in caught.value.detail
    assert len(fake.asked) == 1


@pytest.mark.parametrize("model", range(len(openai_voice.MODELS)))
def test_every_voice_of_a_model_is_one_that_it_has(start_fake: StartFake, model: int) -> None:
    engine = openai_engine(start_fake(FakeOpenAi), model=model)
    assert all(list(engine.speak(SpokenPart("a", voice))) for voice in engine.voices())


def test_the_openai_sdk_works_against_the_fake(start_fake: StartFake) -> None:
    openai = pytest.importorskip("openai")
    fake = start_fake(FakeOpenAi)
    with openai.OpenAI(api_key=FakeOpenAi.KEY, base_url=f"{fake.url}/v1", max_retries=0) as client:
        asked: Any = {"model": "tts-1", "input": "a b", "voice": "alloy", "response_format": "pcm"}
        assert client.audio.speech.create(**asked).content == speech("a b", rate_hz=24_000)
        with pytest.raises(openai.BadRequestError):
            client.audio.speech.create(**asked, extra_body={"sample_rate": 8000})
        fake.faults.append("throttled")
        with pytest.raises(openai.RateLimitError):
            client.audio.speech.create(**asked)


# Azure


def test_a_customers_document_is_put_into_the_voice_that_was_chosen(start_fake: StartFake) -> None:
    engine = azure_engine(start_fake(FakeAzure))
    ssml = "<speak xml:lang='ja-JP'>a<break time=\"1s\"/><!-- b --><![CDATA[<c>]]></speak>"
    assert request_body(part(engine, ssml, is_ssml=True, speed_permille=500)) == (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        '<voice name="en-US-JennyNeural"><prosody rate="0.5">a<break time="1s"></break>&lt;c&gt;'
        "</prosody></voice></speak>"
    )


def test_a_style_is_put_around_the_text_and_counted(start_fake: StartFake) -> None:
    engine = azure_engine(start_fake(FakeAzure))
    styled = part(engine, "a", style="cheerful", speed_permille=500)
    assert (
        '<mstts:express-as style="cheerful"><prosody rate="0.5">a</prosody></mstts:express-as></voice>'
    ) in request_body(styled)
    assert list(engine.speak(styled))
    assert billed_characters(styled) > billed_characters(replace(styled, style=""))


def test_an_answer_that_azure_has_cut_is_not_sold(start_fake: StartFake, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = azure_engine(start_fake(FakeAzure))
    monkeypatch.setattr("speech.engines.azure_voice.CUT_BYTES", len(say(engine)))
    with pytest.raises(SpeakFailed, match="speech_too_long"):
        say(engine)
    assert say(engine, HELLO[:-1])


# Limits


@pytest.mark.parametrize(
    ("name", "text", "fields", "takes"),
    [
        ("azure", "漢" * 500, {}, True),  # Han counts twice
        ("azure", "漢" * 501, {}, False),
        ("azure", "가" * 1_000, {}, True),
        ("azure", f"<speak>{'a' * 981}<p>b</p></speak>", {"is_ssml": True}, True),
        ("azure", f"<speak>{'a' * 981}<break time='1s'/></speak>", {"is_ssml": True}, False),  # tags count
        (
            "polly",
            f"<speak><prosody volume='loud'>{'a' * 3_000}</prosody></speak>",
            {"is_ssml": True},
            True,
        ),  # tags do not,
        ("polly", f"<speak>{'<p>a</p>' * 1_000}</speak>", {"is_ssml": True}, False),  # up to a limit of their own
        ("polly", "&" * 3_000, {}, True),
        ("polly", "&" * 3_000, {"speed_permille": 1_500}, False),  # sent as SSML
        ("openai", "가" * 666, {}, True),  # bytes, as tokens may be
        ("openai", "가" * 667, {}, False),
        ("openai-tts-1", "가" * 4_096, {}, True),
        ("openai-tts-1", "가" * 4_097, {}, False),
    ],
)
def test_a_limit_is_counted_as_its_provider_does(
    start_fake: StartFake, name: str, text: str, fields: dict[str, Any], takes: bool
) -> None:
    makers: dict[str, Any] = {
        "azure": lambda: azure_engine(start_fake(FakeAzure)), "polly": lambda: polly_engine(start_fake(FakePolly)),
        "openai": lambda: openai_engine(start_fake(FakeOpenAi)),
        "openai-tts-1": lambda: openai_engine(start_fake(FakeOpenAi), model=1),
    }  # fmt: skip
    engine = makers[name]()
    assert engine.takes(part(engine, text, **fields)) is takes
    if takes:
        assert say(engine, text, **fields)


@pytest.mark.parametrize("name", ["polly", "openai-tts-1"])
def test_text_beyond_the_providers_limit_is_refused_for_good(start_fake: StartFake, name: str) -> None:
    engine = polly_engine(start_fake(FakePolly)) if name == "polly" else openai_engine(start_fake(FakeOpenAi), model=1)
    with pytest.raises(SpeakFailed, match="text_too_long") as caught:
        say(engine, "a" * (engine.capabilities.max_characters + 1))
    assert caught.value.kind == "permanent"
