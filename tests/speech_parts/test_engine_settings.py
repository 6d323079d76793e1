"""What sets a provider's hearing engine up, and what tells the operator that it works."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import override_settings
from typer.testing import CliRunner

from config.env import Reader, SettingError
from speech import providers
from speech.checking import VARIABLES, check_engines
from speech.engines.errors import EngineError
from speech.engines.providers import DeepgramSettings, GoogleSettings
from speech.engines.registry import hearers_with
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.engines import StartFake, kept
from tests.fakes.google import FakeGoogle
from tests.fakes.hearers import HEARERS, hearer, request_of
from tests.speech_parts.conftest import ROOT
from workers.cli.engines import app

KEYS = ("PARLANCE_AZURE_SPEECH_KEY", "PARLANCE_AZURE_SPEECH_REGION")


def test_one_variable_sets_each_engine_up(monkeypatch: pytest.MonkeyPatch, start_fake: StartFake) -> None:
    account = start_fake(FakeGoogle).account()
    with override_settings(
        ASSEMBLYAI_API_KEY="a", DEEPGRAM_API_KEY="b", GOOGLE_SPEECH_CREDENTIALS=account, OPENAI_API_KEY="c",
        AZURE_SPEECH_KEY="d", AZURE_SPEECH_REGION="koreacentral",
    ):  # fmt: skip
        engines = hearers_with(providers._providers())
    assert set(VARIABLES) == set(HEARERS) == set(engines) - {"simulated-cloud"}
    assert {engine.capabilities.executor for engine in engines.values()} == {
        "cloud:assemblyai:us", "cloud:azure:koreacentral", "cloud:deepgram:global", "cloud:google:us",
        "cloud:openai:global", "cloud:simulated:local",
    }  # fmt: skip


@pytest.mark.parametrize("name", HEARERS)
def test_the_page_of_engines_says_how_each_is_set_up_and_what_was_not_tested(name: str) -> None:
    page = (ROOT / "docs" / "engines.md").read_text("utf-8")
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    assert VARIABLES[name] in row
    assert f"`parlance engines check {name}`" in row
    assert f"\n- {name}: " in page.partition("Not verified against the live services:")[2]


def test_azures_region_may_stand_before_its_key() -> None:
    assert Reader({KEYS[0]: "koreacentral:abc"}).key_with_region(*KEYS) == ("abc", "koreacentral")
    assert Reader({KEYS[0]: "abc", KEYS[1]: "eastus"}).key_with_region(*KEYS) == ("abc", "eastus")
    assert Reader({}).key_with_region(*KEYS) == ("", "")
    with pytest.raises(SettingError, match="PARLANCE_AZURE_SPEECH_REGION"):
        Reader({KEYS[0]: "abc"}).key_with_region(*KEYS)


@pytest.fixture
def with_deepgram(start_fake: StartFake, monkeypatch: pytest.MonkeyPatch) -> Any:
    fake = start_fake(FakeDeepgram)
    monkeypatch.setattr(providers, "hearers", lambda: {"deepgram": hearer("deepgram", fake)})
    return fake


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["check", *arguments])
    return done.exit_code, done.output


def test_the_command_says_whether_a_provider_lets_us_in(with_deepgram: Any) -> None:
    assert run("deepgram") == (0, "ok   deepgram: It lets us in (cloud:deepgram:global).\n")
    with_deepgram.faults.append("not_let_in")
    code, said = run("--json")
    assert (code, json.loads(said)["data"][0]["code"]) == (1, "provider_credentials_refused")


def test_the_command_says_how_to_set_up_what_is_not(with_deepgram: Any) -> None:
    code, said = run("google")
    assert code == 1
    assert "PARLANCE_GOOGLE_SPEECH_CREDENTIALS" in said
    assert run("pocketsphinx")[0] == 0
    assert run("gogle")[0] == 2
    with pytest.raises(LookupError, match="deepgram"):
        check_engines("gogle")


@pytest.mark.parametrize(
    "changed",
    [{"private_key": "no key"}, {"type": "user"}, {"project_id": "../x"}, {"project_id": 7}, {"client_email": None}],
)
def test_an_account_that_is_none_is_refused_before_any_call(start_fake: StartFake, changed: Any) -> None:
    fake = start_fake(FakeGoogle)
    settings = GoogleSettings(fake.account(**changed), base_url=fake.url, token_url=f"{fake.url}/token")
    engine = kept(hearers_with(providers.Providers(google=settings))["google"])
    with pytest.raises(EngineError) as caught:
        engine.check_credentials()
    assert (caught.value.kind, caught.value.code) == ("auth", "credentials_unreadable")
    assert fake.asked == []


def test_an_accounts_own_token_address_is_never_called(start_fake: StartFake) -> None:
    fake, elsewhere = start_fake(FakeGoogle), start_fake(FakeGoogle)
    settings = GoogleSettings(
        fake.account(token_uri=f"{elsewhere.url}/token"), base_url=fake.url, token_url=f"{fake.url}/token"
    )
    kept(hearers_with(providers.Providers(google=settings))["google"]).check_credentials()
    assert elsewhere.asked == []


def test_a_token_is_fetched_once_and_again_when_it_was_refused(start_fake: StartFake) -> None:
    fake = start_fake(FakeGoogle)
    engine = hearer("google", fake)
    engine.check_credentials()
    engine.check_credentials()
    fake.tokens.clear()  # revoked
    with pytest.raises(EngineError, match="credentials"):
        engine.check_credentials()
    engine.check_credentials()
    assert [asked.path for asked in fake.asked if asked.path == "/token"] == ["/token"] * 2


def test_a_key_that_no_header_can_hold_is_no_key(start_fake: StartFake) -> None:
    fake = start_fake(FakeDeepgram)
    for key in ("열쇠", "a\r\nX-Evil: b"):
        settings = DeepgramSettings(key, base_url=fake.url)
        engine = kept(hearers_with(providers.Providers(deepgram=settings))["deepgram"])
        with pytest.raises(EngineError) as caught:
            engine.check_credentials()
        assert caught.value.kind == "auth"
    assert fake.asked == []


def test_a_shut_down_model_is_refused_and_not_chosen(start_fake: StartFake, tmp_path: Any) -> None:
    from datetime import date

    from speech.engines.openai import models

    after = date(2027, 2, 26)
    assert models.chosen(request_of(word_timestamps=True), today=date(2027, 2, 25)).name == "whisper-1"
    assert [model.name for model in models.living(after)] == ["gpt-transcribe"]
    for asked in (request_of(model="whisper-1"), request_of(word_timestamps=True)):
        with pytest.raises(EngineError) as caught:
            models.chosen(asked, today=after)
        assert caught.value.kind == "unsupported"
