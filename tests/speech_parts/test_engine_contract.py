"""Every provider's engine keeps the same promises, whatever its provider does; each speaks to its fake on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stack import free_port

from egress import deadline
from egress.facade import connect_count
from speech.audio.encoders import close_encoders
from speech.audio.pcm import PcmRange
from speech.engines import deepgram, hearing_calls
from speech.engines.errors import CallbackRefused, EngineError
from speech.engines.ports import Callback, CloudSpeechToText, Heard, Pending
from speech.engines.providers import Providers
from speech.engines.registry import hearers_with
from speech.options import FEATURES
from speech.transcript import clean_text, from_json, to_json
from tests.fakes.engines import StartFake
from tests.fakes.hearers import HEARERS, STEPS, Receiver, hear, hearer, request_of, tone
from tests.fakes.hearing import HOSTILE, SCRIPT, said_in, text_of

DURATION_MS = 4_000
HEARD = text_of(said_in(DURATION_MS))
WAITED_S = 10.0  # many times what the test sets as the longest wait, and far from the product's
NEVER_TOLD = ("secret", "sk-", "-example", "127.0.0.1", "http", "morning", "Bearer", "PRIVATE")
WISHES: dict[str, dict[str, Any]] = {
    "word_timestamps": {"word_timestamps": True},
    "language_detection": {"languages": ("ko", "en")},
    "diarization": {"diarize": True, "speakers": 2},
    "vocabulary": {"vocabulary": ("Parlance", "Ada Lovelace")},
    "prompt": {"prompt": "A talk about speech."},
    "profanity_filter": {"profanity_filter": True},
    "pii_redaction": {"redact_pii": ("all",)},
    "translation": {"task": "translate"},
}


@dataclass(frozen=True)
class Cloud:
    """An engine and the fake that it speaks to."""

    name: str
    engine: CloudSpeechToText
    fake: Any

    def fail(self, fault: str, *, at: int = 0) -> None:
        """The fault at the request of this number, from 0."""
        self.fake.faults.extend([None] * at + [fault])


@pytest.fixture(params=HEARERS)
def cloud(request: pytest.FixtureRequest, start_fake: StartFake) -> Cloud:
    return started(request.param, start_fake)


def started(name: str, start_fake: StartFake) -> Cloud:
    fake = start_fake(HEARERS[name][0])
    return Cloud(name, hearer(name, fake), fake)


@pytest.fixture
def pcm(tmp_path: Path) -> PcmRange:
    return tone(tmp_path / "tone.pcm", duration_ms=DURATION_MS)


def fails(call: Callable[[], Any]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        call()
    return caught.value


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    close_encoders()


# What is heard


def test_it_answers_the_text_of_the_part_it_was_given(cloud: Cloud, pcm: PcmRange) -> None:
    heard = hear(cloud.engine, PcmRange(pcm.path, 1_000, 4_000), language="en", word_timestamps=None)
    transcript = heard.transcript
    assert transcript.text == text_of(said_in(3_000))
    assert (transcript.duration_ms, transcript.language) == (3_000, "en")
    assert from_json(to_json(transcript)).text == transcript.text
    assert heard.raw
    assert sum(unit.quantity for unit in heard.units if unit.unit == "audio_ms") in (0, 3_000)
    assert heard.units


def test_words_have_their_own_times(cloud: Cloud, pcm: PcmRange) -> None:
    words = hear(cloud.engine, pcm, language="en", word_timestamps=True).transcript.words
    assert [(word.start_ms, word.end_ms) for word in words] == [(w.start_ms, w.end_ms) for w in said_in(DURATION_MS)]


def test_speakers_are_named_in_the_order_in_which_they_speak(cloud: Cloud, pcm: PcmRange) -> None:
    segments = hear(cloud.engine, pcm, diarize=True).transcript.segments
    assert list(dict.fromkeys(segment.speaker for segment in segments)) == ["A", "B"]


def test_nobody_is_named_who_was_not_asked_for(cloud: Cloud, pcm: PcmRange) -> None:
    assert {segment.speaker for segment in hear(cloud.engine, pcm).transcript.segments} == {None}


def test_the_language_that_was_found_is_told(cloud: Cloud, pcm: PcmRange) -> None:
    language = hear(cloud.engine, pcm).transcript.language
    assert language is not None
    assert language.partition("-")[0] == "en"


def test_a_blink_is_long_enough(cloud: Cloud, pcm: PcmRange) -> None:
    assert hear(cloud.engine, PcmRange(pcm.path, 0, 20)).transcript.text == ""


def test_it_takes_a_part_as_long_as_it_says(cloud: Cloud, tmp_path: Path) -> None:
    part_ms = min(cloud.engine.capabilities.max_part_ms, 90_000)  # longer than a WAV goes out for
    pcm = tone(tmp_path / "long.pcm", duration_ms=part_ms)
    assert hear(cloud.engine, pcm).transcript.text == text_of(said_in(part_ms))


def test_every_feature_that_it_has_is_one_that_the_provider_takes(cloud: Cloud, pcm: PcmRange) -> None:
    for feature in sorted(cloud.engine.capabilities.features):
        assert hear(cloud.engine, pcm, **WISHES[feature]).transcript.text == HEARD, feature


@pytest.mark.parametrize("language", ["ko", "en-GB", "zh", "nb"])
def test_every_language_is_named_as_the_provider_names_it(cloud: Cloud, pcm: PcmRange, language: str) -> None:
    if cloud.engine.capabilities.speaks(language):
        assert hear(cloud.engine, pcm, language=language).transcript.language == language


def test_every_model_can_be_named(cloud: Cloud, pcm: PcmRange) -> None:
    for model in cloud.engine.capabilities.models:
        assert hear(cloud.engine, pcm, model=model).transcript.text == HEARD


def test_a_range_outside_of_the_file_is_an_error_and_not_a_short_answer(cloud: Cloud, pcm: PcmRange) -> None:
    with pytest.raises(ValueError, match="shorter"):
        cloud.engine.submit(PcmRange(pcm.path, 0, 50_000), request=request_of())


def test_its_capabilities_are_sane(cloud: Cloud) -> None:
    able = cloud.engine.capabilities
    assert able.name == cloud.name
    assert able.executor.startswith(f"cloud:{cloud.name}:")
    assert able.features <= set(FEATURES)
    assert able.speaks("ko-KR")
    assert able.speaks("en")
    assert not able.speaks("tlh")
    assert able.models
    assert able.quality == "production"


# Calls


def test_making_one_calls_nobody_and_every_call_goes_through_egress(cloud: Cloud, pcm: PcmRange) -> None:
    before = connect_count()
    assert cloud.engine.capabilities
    assert (connect_count(), cloud.fake.asked) == (before, [])
    hear(cloud.engine, pcm)
    # One connection for each origin: Google's token comes from another one.
    assert connect_count() == before + (2 if cloud.name == "google" else 1)
    assert len(cloud.fake.asked) == STEPS[cloud.name]


def test_credentials_that_are_good_are_good(cloud: Cloud) -> None:
    cloud.engine.check_credentials()


def test_credentials_that_are_not_are_refused(cloud: Cloud) -> None:
    cloud.fail("not_let_in")
    assert fails(cloud.engine.check_credentials).kind == "auth"


def test_work_stops_when_the_tick_says_so(cloud: Cloud, pcm: PcmRange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "TICK_S", 0.05)

    def stop() -> None:
        raise InterruptedError

    cloud.fail("mute", at=1 if cloud.name == "google" else 0)
    begun_at = time.monotonic()
    with pytest.raises(InterruptedError):
        cloud.engine.submit(pcm, request=request_of(), on_tick=stop)
    assert time.monotonic() - begun_at < WAITED_S


# What providers do wrong; every failure of a call has its row in test_failure_matrix


@pytest.mark.parametrize("fault", ["html", "half_body", "throttled", "proxy_error"])
def test_only_a_call_that_was_answered_costs(cloud: Cloud, pcm: PcmRange, fault: str) -> None:
    cloud.fail(fault, at=STEPS[cloud.name] - 1)
    counted = [(each.unit, each.quantity) for each in fails(lambda: hear(cloud.engine, pcm)).units]
    asks_again = cloud.name == "assemblyai"  # the same answer can be asked for once more
    assert counted == ([] if asks_again or fault in {"throttled", "proxy_error"} else [("audio_ms", DURATION_MS)])


def test_what_may_pass_has_passed_at_the_next_try(cloud: Cloud, pcm: PcmRange) -> None:
    cloud.fail("reset")
    assert fails(lambda: hear(cloud.engine, pcm)).may_pass
    assert hear(cloud.engine, pcm).transcript.text == HEARD


def test_nobody_there_is_worth_another_try(cloud: Cloud, pcm: PcmRange) -> None:
    engine = hearer(cloud.name, cloud.fake, url=f"http://127.0.0.1:{free_port()}")
    error = fails(lambda: hear(engine, pcm))
    assert (error.kind, error.code) == ("transient", "provider_unreachable")


def test_an_answer_beyond_all_bounds_is_refused_though_it_is_good(
    cloud: Cloud, pcm: PcmRange, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(hear(cloud.engine, pcm).raw)
    monkeypatch.setattr(hearing_calls, "MAX_ANSWER_BYTES", size)
    assert hear(cloud.engine, pcm).raw
    monkeypatch.setattr(hearing_calls, "MAX_ANSWER_BYTES", size - 1)
    assert fails(lambda: hear(cloud.engine, pcm)).code == "provider_answer_unusable"


def test_an_endless_answer_is_not_read_to_its_end(cloud: Cloud, pcm: PcmRange) -> None:
    cloud.fail("huge", at=STEPS[cloud.name] - 1)
    assert fails(lambda: hear(cloud.engine, pcm)).code == "provider_answer_unusable"


CLEANED = {"negative_times", "inverted_times", "script"}


def test_hostile_answers_are_cleaned_or_refused(cloud: Cloud, pcm: PcmRange) -> None:
    for damage, tamper in HOSTILE.items():
        cloud.fake.tamper = tamper
        if damage not in CLEANED:
            error = fails(lambda: hear(cloud.engine, pcm, word_timestamps=True))
            assert (error.kind, error.code) == ("transient", "provider_answer_unusable"), damage
            assert error.__suppress_context__
            continue
        heard = hear(cloud.engine, pcm, word_timestamps=True)
        transcript = from_json(to_json(heard.transcript))  # which checks it
        assert all(0 <= word.start_ms <= word.end_ms <= transcript.duration_ms for word in transcript.words)
        assert "\x00" not in transcript.text
        assert damage != "script" or clean_text(SCRIPT) in transcript.text


def test_the_text_of_another_job_is_not_taken(start_fake: StartFake, pcm: PcmRange) -> None:
    fake = start_fake(HEARERS["assemblyai"][0])
    engine = hearer("assemblyai", fake)
    pending = engine.submit(pcm, request=request_of())
    assert isinstance(pending, Pending)
    fake.tamper = lambda told: told | {"id": "00000001-aaaa"}
    assert fails(lambda: engine.poll(pending.external_id, request=request_of())).code == "provider_answer_unusable"
    assert fails(lambda: engine.poll("../../v2/upload", request=request_of())).code == "provider_answer_unusable"


# Callbacks


@pytest.fixture
def called(start_fake: StartFake) -> Receiver:
    receiver: Receiver = start_fake(Receiver)
    return receiver


def delivered(receiver: Receiver, *, times: int) -> list[Any]:
    until = time.monotonic() + WAITED_S
    while len(receiver.asked) < times and time.monotonic() < until:
        time.sleep(0.01)
    return receiver.asked


@pytest.mark.parametrize("name", ["assemblyai", "deepgram"])
def test_a_callback_is_believed_only_with_its_secret_and_for_its_call(
    name: str, start_fake: StartFake, called: Receiver, pcm: PcmRange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deepgram.engine, "AT_ONCE_MS", 0)
    fake = start_fake(HEARERS[name][0])
    fake.callbacks = 2
    engine = hearer(name, fake)
    callback, request = Callback(f"{called.url}/v1/callbacks/abc", "per/job secret"), request_of(language="en")
    pending = engine.submit(pcm, request=request, callback=callback)
    assert isinstance(pending, Pending)

    first, second = delivered(called, times=2)
    assert (first.path, first.body) == ("/v1/callbacks/abc", second.body)

    def read(**changed: Any) -> Heard | Pending:
        asked: dict[str, Any] = {
            "headers": first.headers, "body": first.body, "callback": callback, "external_id": pending.external_id,
        }  # fmt: skip
        return engine.read_callback(**asked | changed, request=request)

    for wrong in (
        {"callback": Callback(callback.url, "another")},
        {"headers": {}},
        {"external_id": "00000009-aaaa"},
        {"body": b"<html>"},
        {"body": b"[]"},
    ):
        with pytest.raises(CallbackRefused):
            read(**wrong)
    answer = read()
    if isinstance(answer, Pending):
        assert answer.poll_after_s == 0
        answer = engine.poll(answer.external_id, request=request)
    assert isinstance(answer, Heard)
    assert answer.transcript.text == HEARD


@pytest.mark.parametrize("name", ["google", "openai", "azure"])
def test_nobody_may_call_back_for_a_provider_that_does_not(name: str, start_fake: StartFake) -> None:
    fake = start_fake(HEARERS[name][0])
    with pytest.raises(CallbackRefused):
        hearer(name, fake).read_callback(
            headers={}, body=b"{}", callback=Callback("https://a.example", "b"), external_id="c", request=request_of()
        )


def test_a_lost_callback_is_made_good_by_asking_where_that_is_possible(start_fake: StartFake, pcm: PcmRange) -> None:
    fake = start_fake(HEARERS["assemblyai"][0])
    fake.callbacks = 0
    engine = hearer("assemblyai", fake)
    callback = Callback("http://127.0.0.1:9/lost", "secret")
    pending = engine.submit(pcm, request=request_of(), callback=callback)
    assert isinstance(pending, Pending)
    assert isinstance(engine.poll(pending.external_id, request=request_of()), Pending)
    assert isinstance(engine.poll(pending.external_id, request=request_of()), Heard)


# What is set up


def test_only_what_is_set_up_exists_and_no_settings_show_a_secret(start_fake: StartFake) -> None:
    assert set(hearers_with(Providers())) & set(HEARERS) == set()
    fake = start_fake(HEARERS["google"][0])
    settings = hearer("google", fake)._settings  # type: ignore[attr-defined]
    assert "PRIVATE KEY" not in repr(settings)
