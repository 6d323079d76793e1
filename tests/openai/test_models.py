"""The catalogue: aliases, engines and their models, with their lifecycles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from stack import Tenant

from apikit.facade import Problem
from speech.catalogue import EngineModel, Lifecycle
from speech.openai import models

SDK = Callable[..., OpenAI]
ALIASES = {
    "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize", "gpt-transcribe",
}  # fmt: skip
ENGINES = {
    "pocketsphinx", "pocketsphinx/en-us", "simulated", "simulated/simulated-1", "simulated-cloud",
    "simulated-cloud/simulated-cloud-1",
}  # fmt: skip


def test_it_lists_aliases_engines_and_their_models(sdk: SDK, anna: Tenant) -> None:
    for key in (anna.api_key, anna.test_api_key):
        listed = {model.id: model for model in sdk(key).models.list()}
        assert listed.keys() >= ALIASES | ENGINES
        assert all((model.object, model.shutdown_date) == ("model", None) for model in listed.values())
        assert all(model.created > 1_700_000_000 and model.owned_by for model in listed.values())


@pytest.mark.parametrize("name", ["whisper-1", "simulated/simulated-1"])
def test_one_model_is_what_the_list_shows(
    sdk: SDK, async_sdk: Callable[..., AsyncOpenAI], anna: Tenant, name: str
) -> None:
    async def one() -> Any:
        async with async_sdk(anna.api_key) as client:
            return await client.models.retrieve(name)

    listed = next(model for model in sdk(anna.api_key).models.list() if model.id == name)
    assert sdk(anna.api_key).models.retrieve(name) == asyncio.run(one()) == listed


def test_a_model_that_is_none_is_not_found(sdk: SDK, anna: Tenant) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk(anna.api_key).models.retrieve("tts-0")
    assert caught.value.code == "model_not_found"


def test_an_engine_by_name_is_that_engine(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    for name in ("simulated", "simulated/simulated-1"):
        answer: Any = sdk(anna.api_key).audio.transcriptions.create(file=("a.wav", clip), model=name)
        assert answer.x_parlance["engine"] == "simulated"


def test_a_test_key_runs_the_simulated_engine_under_every_name(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    for name in sorted(ALIASES | ENGINES):
        answer: Any = sdk(anna.test_api_key).audio.transcriptions.create(file=("a.wav", clip), model=name)
        assert (answer.x_parlance["engine"], answer.x_parlance["cost"]) == ("simulated", None)


def test_an_engine_and_another_engines_model_contradict_each_other(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk(anna.api_key).audio.transcriptions.create(
            file=("a.wav", clip), model="pocketsphinx", extra_body={"engine": "simulated"}
        )
    assert (caught.value.param, caught.value.code) == ("engine", "contradiction")


def test_a_model_past_its_time_is_refused_and_names_its_replacement() -> None:
    from speech.engines.simulated import CAPABILITIES

    ends = Lifecycle(date(2026, 1, 1), shutdown=date(2027, 2, 26), replacement="simulated/simulated-2")
    known = {"simulated/simulated-1": EngineModel("simulated", "simulated-1", ends)}
    asked: Any = {"available": [CAPABILITIES], "known": known}
    alive = models.resolve("simulated/simulated-1", today=date(2027, 2, 25), **asked)
    assert models.shown(alive)["shutdown_date"] == "2027-02-26"
    with pytest.raises(Problem) as caught:
        models.resolve("simulated/simulated-1", today=date(2027, 2, 26), **asked)
    assert (caught.value.code, caught.value.status) == ("model_shut_down", 404)
    assert "simulated/simulated-2" in caught.value.detail


def test_the_engines_show_the_same_models_and_what_they_can(anna: Tenant) -> None:
    shown = anna.live.get("/v1/engines").json()
    engines = {engine["id"]: engine for engine in shown["data"]}
    assert shown["has_more"] is False
    assert {model["id"] for engine in engines.values() for model in engine["models"]} <= ENGINES
    assert engines["pocketsphinx"]["quality"] == "demo"
    assert engines["pocketsphinx"]["languages"] == ["en"]
    assert engines["pocketsphinx"]["features"]["diarization"] is False
    assert engines["simulated"]["languages"] is None
    assert all(engines["simulated"]["features"].values())
    assert engines["pocketsphinx"]["limits"]["max_part_ms"] == 300_000
    assert engines["simulated"]["warnings"][0]["code"] == "simulated_engine"
