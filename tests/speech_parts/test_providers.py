"""What the operator sets up of providers, and what is left of a provider's engine after its last day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from config.env import Reader, SettingError
from speech.engines.providers import OpenAiSettings, Providers
from speech.engines.speakers import speakers_with
from speech.synthesis import intake, voices
from speech.synthesis.errors import NoVoice
from speech.synthesis.schemas import SpeechIn
from tenants.facade import tenant_context

SHUTDOWN = date(2027, 1, 6)


@pytest.mark.parametrize("value", ["api.example.com", "ftp://a.example", "https://", "https://a.example/?key=1"])
def test_an_address_that_is_none_stops_the_start_and_names_its_variable(value: str) -> None:
    with pytest.raises(SettingError, match="PARLANCE_OPENAI_BASE_URL"):
        Reader({"PARLANCE_OPENAI_BASE_URL": value}).url("PARLANCE_OPENAI_BASE_URL")


def test_an_address_is_taken_as_it_stands() -> None:
    reader = Reader({"A": "http://10.0.0.5:9000/v1/"})
    assert (reader.url("A"), reader.url("B"), reader.url("B", "https://a.example")) == (
        "http://10.0.0.5:9000/v1", "", "https://a.example",
    )  # fmt: skip


@pytest.mark.parametrize("value", ["a.example/", "EU", "a@b", "a" * 41])
def test_a_region_that_could_be_another_host_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match="PARLANCE_POLLY_REGION"):
        Reader({"PARLANCE_POLLY_REGION": value}).region("PARLANCE_POLLY_REGION")
    assert Reader({"PARLANCE_POLLY_REGION": "eu-west-1"}).region("PARLANCE_POLLY_REGION") == "eu-west-1"


def test_a_providers_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    reader = Reader({"PARLANCE_OPENAI_API_KEY_FILE": str(tmp_path / "key")})
    assert reader.secret("PARLANCE_OPENAI_API_KEY", "") == "sk-1"
    assert Reader({}).secret("PARLANCE_OPENAI_API_KEY", "") == ""


@pytest.fixture
def _with_openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation with OpenAI alone."""
    engines = speakers_with(Providers(openai=OpenAiSettings("a")))
    caches = (voices.known_voices, voices.voice_by_id)
    for module in (voices, intake):
        monkeypatch.setattr(module, "speakers", lambda: engines)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def voice_for(alice: Any, monkeypatch: pytest.MonkeyPatch, _with_openai: None) -> Callable[..., str]:
    """The voice that a live request of alice gets on a day."""

    def choose(*, today: date, **fields: Any) -> str:
        monkeypatch.setattr(intake, "_today", lambda: today)
        body, caller = SpeechIn(text="안녕하세요", **fields), replace(alice.caller, livemode=True)
        with tenant_context(alice.tenant):
            return intake.order_of(RequestFactory().post("/"), body, caller=caller).voice

    return choose


def test_a_model_is_the_default_until_its_last_day_only(voice_for: Callable[..., str]) -> None:
    assert voice_for(today=date(2027, 1, 5)) == "openai/coral"
    assert voice_for(today=SHUTDOWN) == "espeak-ng/ko"


@pytest.mark.parametrize("fields", [{"voice": "openai/alloy"}, {"engine": "openai-tts-1"}])
def test_a_model_that_was_shut_down_is_refused_by_name(voice_for: Callable[..., str], fields: dict[str, str]) -> None:
    assert voice_for(today=date(2027, 1, 5), **fields).startswith("openai")
    with pytest.raises(NoVoice) as caught:
        voice_for(today=SHUTDOWN, **fields)
    assert caught.value.code == "model_retired"
    assert "gpt-realtime-2.1-mini" in caught.value.detail
