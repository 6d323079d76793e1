"""Every speaking engine keeps the same promises: espeak-ng, the simulated one, and the providers' against loopback."""

from __future__ import annotations

import html
import subprocess
import sys
import time
from bisect import bisect_left
from typing import Any

import boto3
import pytest
from botocore.config import Config
from stack import free_port

from egress.facade import connect_count
from speech.engines import openai_voice, provider_calls
from speech.engines.azure_voice import AzureVoice
from speech.engines.openai_voice import OpenAiVoice
from speech.engines.polly import Polly
from speech.engines.providers import AzureSettings, OpenAiSettings, PollySettings, Providers
from speech.engines.speakers import speakers_with
from speech.engines.speaking import TextToSpeech, Timing
from speech.synthesis.errors import SpeakFailed
from tests.fakes.engines import BEFORE, CLOUDS, HELLO, LOCAL, Cloud, StartFake, part, say
from tests.fakes.provider import speech

INJECTED = "1 < 2 </prosody></voice></speak> & <break time='9s'/> \"3\" 안녕\ud800\x08"
WAITED_S = 10.0  # many times SILENCE_S of the test, and far from the product's
NEVER_TOLD = ("secret", "sk-", "AKID", "arn:", "127.0.0.1", HELLO)


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest, start_fake: StartFake) -> Cloud:
    kind, make = CLOUDS[request.param]
    fake = start_fake(kind)
    return Cloud(make(fake), fake)


@pytest.fixture(params=[*LOCAL, *CLOUDS])
def engine(request: pytest.FixtureRequest, start_fake: StartFake) -> TextToSpeech:
    if request.param in LOCAL:
        return LOCAL[request.param]()
    kind, make = CLOUDS[request.param]
    return make(start_fake(kind))


# Promises of all


def test_it_speaks_whole_samples_and_the_same_again(engine: TextToSpeech) -> None:
    pieces = list(engine.speak(part(engine)))
    assert pieces
    assert all(piece and len(piece) % 2 == 0 for piece in pieces)
    assert say(engine) == b"".join(pieces)


def test_it_has_voices_for_korean_and_english_under_names_of_their_own(engine: TextToSpeech) -> None:
    voices = engine.voices()
    assert {True} == {any(voice.speaks(language) for voice in voices) for language in ("ko", "en-US")}
    assert len({voice.id for voice in voices}) == len(voices)
    for voice in voices:
        assert voice.engine == engine.capabilities.name
        assert voice.gender in {"female", "male", "neutral"}
        assert [tag.lower() for tag in voice.languages] == list(voice.languages)
        assert voice.sample_rate_hz in {16_000, 22_050, 24_000}


def test_it_speaks_korean(engine: TextToSpeech) -> None:
    assert len(say(engine, "안녕하세요, 반갑습니다.", language="ko")) > 4_000


def test_it_speaks_slower_and_faster_when_asked(engine: TextToSpeech) -> None:
    slow, own, fast = (len(say(engine, speed_permille=speed)) for speed in (500, 1000, 2000))
    assert slow > 1.3 * own > 1.3 * 1.3 * fast


def test_it_reads_ssml_where_it_says_so(engine: TextToSpeech) -> None:
    ssml = f"<speak>{HELLO}<break time='300ms'/> &amp; more.</speak>"
    if not engine.capabilities.ssml_tags:
        with pytest.raises(SpeakFailed, match="ssml_tag_unsupported"):
            say(engine, ssml, is_ssml=True)
        return
    assert "voice" not in engine.capabilities.ssml_tags or engine.capabilities.name in LOCAL
    assert len(say(engine, ssml, is_ssml=True)) > len(say(engine))


@pytest.mark.parametrize("kind", ["word", "sentence"])
@pytest.mark.parametrize("fields", [{}, {"speed_permille": 1500}, {"is_ssml": True}])
def test_it_tells_when_words_and_sentences_begin(engine: TextToSpeech, kind: Timing, fields: dict[str, Any]) -> None:
    if kind not in engine.capabilities.timings:
        pytest.skip("it tells no times")
    text = 'One & two, "three".  Four is more.'
    sent = f"<speak>{html.escape(text)}</speak>" if fields.get("is_ssml") else text
    found = engine.marks(part(engine, sent, **fields), kind=kind)
    length_ms = len(say(engine, sent, **fields)) // 2 * 1000 // part(engine).voice.sample_rate_hz
    said = " ".join(text.split()) if fields.get("is_ssml") else text
    begun = [said[mark.start :].split()[0] for mark in found]
    assert (begun[0], found[0].at_ms) == ("One", 0)
    assert {"Four"} <= set(begun) <= set(said.split()) | {'three".'}
    assert (len(begun) > 3) == (kind == "word")
    starts, times = [mark.start for mark in found], [mark.at_ms for mark in found]
    assert (starts, times) == (sorted(starts), sorted(times))
    assert length_ms // 3 < next(mark.at_ms for mark in found if said[mark.start :].startswith("Four")) < length_ms


def test_what_the_tick_raises_stops_the_work(engine: TextToSpeech) -> None:
    def stop() -> None:
        raise InterruptedError

    if engine.capabilities.name == "simulated":
        pytest.skip("ticks only while it is told to be slow; test_speech cancels it")
    with pytest.raises(InterruptedError):
        list(engine.speak(part(engine, HELLO * 5), on_tick=stop))


def test_its_capabilities_are_sane(engine: TextToSpeech) -> None:
    able = engine.capabilities
    assert 0 < able.max_characters <= 4_096
    assert able.rtfx > 0
    assert able.speeds_permille[0] < 1000 < able.speeds_permille[1]
    assert (able.quality == "production") == able.executor.startswith("cloud:")
    assert all(warning.detail.endswith(".") for warning in able.warnings)


# Promises of providers' engines


def test_nothing_is_lost_on_the_way(cloud: Cloud) -> None:
    voice = part(cloud.engine).voice
    text = HELLO * 20
    assert say(cloud.engine, text) == speech(text, rate_hz=voice.sample_rate_hz)


def test_boto3s_own_client_gets_of_the_fake_what_our_engine_gets(start_fake: StartFake) -> None:
    kind, make = CLOUDS["polly"]
    fake = start_fake(kind)
    client = boto3.session.Session().client(
        "polly", region_name=fake.REGION, endpoint_url=fake.url, aws_access_key_id=fake.KEY,
        aws_secret_access_key="secret-example", config=Config(proxies={}),
    )  # fmt: skip
    wanted = {"Engine": "neural", "VoiceId": "Joanna", "Text": HELLO, "TextType": "text"}
    answer = client.synthesize_speech(**wanted, OutputFormat="pcm", SampleRate="16000")
    with answer["AudioStream"] as stream:
        heard = stream.read()
    client.close()
    assert (heard, answer["RequestCharacters"]) == (say(make(fake), HELLO), len(HELLO))
    theirs, ours = (asked.json() for asked in fake.asked)
    assert {name: theirs[name] for name in ours} == ours


def test_making_one_and_asking_for_its_voices_calls_nobody(cloud: Cloud) -> None:
    before = connect_count()
    assert cloud.engine.voices()
    assert (connect_count(), cloud.fake.asked) == (before, [])


def test_every_call_goes_through_egress(cloud: Cloud) -> None:
    before = connect_count()
    say(cloud.engine)
    assert connect_count() == before + 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("throttled", "provider_busy"),
        ("broken", "provider_error"),
        ("proxy_error", "provider_error"),
        ("half_body", "provider_connection_lost"),
        ("half_sample", "provider_connection_lost"),
        ("empty", "provider_connection_lost"),
        ("html", "provider_answer_unusable"),
        ("mute", "provider_timeout"),
        ("stall", "provider_timeout"),
    ],
)
def test_what_may_pass_is_worth_another_try(
    cloud: Cloud, fault: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_calls, "SILENCE_S", 0.5)
    cloud.fake.faults.append(fault)
    begun_at = time.monotonic()
    with pytest.raises(SpeakFailed) as caught:
        say(cloud.engine)
    assert (caught.value.kind, caught.value.code) == ("transient", code)
    assert time.monotonic() - begun_at < WAITED_S
    assert say(cloud.engine)


@pytest.mark.parametrize(("fault", "code"), [("no_quota", "provider_quota"), ("not_let_in", "provider_credentials_")])
def test_what_will_not_pass_is_not_tried_again(cloud: Cloud, fault: Any, code: str) -> None:
    if (cloud.engine.capabilities.name, fault) == ("azure", "no_quota"):
        code = "provider_credentials_"  # Azure answers 403 to both, with an empty body
    cloud.fake.faults.append(fault)
    with pytest.raises(SpeakFailed) as caught:
        say(cloud.engine)
    assert caught.value.kind == "permanent"
    assert caught.value.code.startswith(code)
    assert len(cloud.fake.asked) == 1


@pytest.mark.parametrize("fault", ["throttled", "broken", "no_quota", "not_let_in", "html", "half_body"])
def test_a_failure_tells_no_secret_and_no_text(cloud: Cloud, fault: Any) -> None:
    cloud.fake.faults.append(fault)
    with pytest.raises(SpeakFailed) as caught:
        say(cloud.engine)
    told = f"{caught.value} {caught.value.detail} {caught.value.__cause__}"
    assert not [word for word in NEVER_TOLD if word in told]
    assert caught.value.detail.endswith(".")


def test_nobody_there_is_worth_another_try(cloud: Cloud) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    engines: dict[str, TextToSpeech] = {
        "polly": Polly(PollySettings(base_url=nowhere, access_key_id="a", secret_access_key="b"), family="neural"),
        "openai": OpenAiVoice(OpenAiSettings("a", nowhere), model=openai_voice.MODELS[0], today=lambda: BEFORE),
        "azure": AzureVoice(AzureSettings("a", "koreacentral", nowhere)),
    }
    with pytest.raises(SpeakFailed) as caught:
        say(engines[cloud.engine.capabilities.name])
    assert (caught.value.kind, caught.value.code) == ("transient", "provider_unreachable")


def test_white_space_is_silence_and_calls_nobody(cloud: Cloud) -> None:
    assert say(cloud.engine, " \n ") == b""
    assert cloud.fake.asked == []


def test_text_that_looks_like_markup_is_spoken_and_not_obeyed(cloud: Cloud) -> None:
    if cloud.engine.capabilities.name == "openai":
        pytest.skip("takes no markup at all")
    sayable = INJECTED.rstrip("\ud800\x08")
    voice = part(cloud.engine).voice
    assert say(cloud.engine, INJECTED, speed_permille=1500) == speech(sayable, rate_hz=voice.sample_rate_hz, speed=1.5)


def test_a_retry_time_that_the_provider_names_is_kept(cloud: Cloud) -> None:
    cloud.fake.faults.append("throttled")
    with pytest.raises(SpeakFailed) as caught:
        say(cloud.engine)
    assert caught.value.retry_after_s == (None if cloud.engine.capabilities.name == "polly" else 1.0)


@pytest.mark.parametrize(("letter", "speed"), [("a", 1000), ("&", 1500), ("가", 1000), ("漢", 1500), ("𠮷", 1000)])
def test_it_takes_as_much_at_once_as_it_says(cloud: Cloud, letter: str, speed: int) -> None:
    def takes(length: int) -> bool:
        return cloud.engine.takes(part(cloud.engine, letter * length, speed_permille=speed))

    most = bisect_left(range(1, 9_000), True, key=lambda length: not takes(length))
    assert say(cloud.engine, letter * most, speed_permille=speed)
    assert most <= cloud.engine.capabilities.max_characters  # nobody counts less than code points
    if letter == "a":
        assert most == cloud.engine.capabilities.max_characters


# What is set up


def test_an_engine_exists_once_its_provider_is_set_up() -> None:
    every = Providers(PollySettings(), OpenAiSettings("a"), AzureSettings("b", "koreacentral"))
    assert list(speakers_with(Providers())) == ["espeak-ng", "simulated"]
    assert set(speakers_with(every)) > {"polly", "openai", "openai-tts-1", "openai-tts-1-hd", "azure", "espeak-ng"}
    assert "secret" not in repr(PollySettings(secret_access_key="secret")) + repr(OpenAiSettings("secret"))


def test_what_nobody_uses_is_not_loaded() -> None:
    code = "import sys, speech.engines.speakers; print(sorted({'boto3', 'httpx', 'httpcore'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
