"""Speaking engines that are set up with fakes, and something for them to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

from speech.engines import openai_voice
from speech.engines.azure_voice import AzureVoice
from speech.engines.espeak_voice import EspeakVoice
from speech.engines.openai_voice import OpenAiVoice
from speech.engines.polly import Polly
from speech.engines.providers import AzureSettings, OpenAiSettings, PollySettings
from speech.engines.simulated_voice import SimulatedVoice
from speech.engines.speaking import SpokenPart, TextToSpeech
from tests.fakes.azure import FakeAzure
from tests.fakes.openai import FakeOpenAi
from tests.fakes.polly import FakePolly
from tests.fakes.provider import FakeProvider

HELLO = "Hello there, this is spoken."
StartFake = Callable[[type[FakeProvider]], Any]
BEFORE, AFTER = date(2027, 1, 5), date(2027, 1, 6)


class Closable(Protocol):
    def close(self) -> None: ...


Engine = TypeVar("Engine", bound=Closable)
made: list[Closable] = []


def kept(engine: Engine) -> Engine:
    """The engine, which is closed after the test."""
    made.append(engine)
    return engine


def close_engines() -> None:
    """No engine's connections outlive its test."""
    while made:
        made.pop().close()


def polly_engine(fake: FakePolly, *, family: Any = "neural", key: str = FakePolly.KEY) -> Polly:
    return kept(Polly(PollySettings(FakePolly.REGION, fake.url, key, "secret-example"), family=family))


def openai_engine(fake: FakeOpenAi, *, today: date = BEFORE, model: int = 0) -> OpenAiVoice:
    settings = OpenAiSettings(FakeOpenAi.KEY, base_url=f"{fake.url}/v1")
    return kept(OpenAiVoice(settings, model=openai_voice.MODELS[model], today=lambda: today))


def azure_engine(fake: FakeAzure) -> AzureVoice:
    return kept(AzureVoice(AzureSettings(FakeAzure.KEY, region="koreacentral", base_url=fake.url)))


@dataclass(frozen=True)
class Cloud:
    """A provider's engine and the fake that it speaks to."""

    engine: TextToSpeech
    fake: FakeProvider


CLOUDS: dict[str, tuple[type[FakeProvider], Callable[[Any], TextToSpeech]]] = {
    "polly": (FakePolly, polly_engine),
    "openai": (FakeOpenAi, openai_engine),
    "azure": (FakeAzure, azure_engine),
}
LOCAL: dict[str, Callable[[], TextToSpeech]] = {"espeak-ng": EspeakVoice, "simulated": SimulatedVoice}


def part(engine: TextToSpeech, text: str = HELLO, *, language: str = "en", name: str = "", **fields: Any) -> SpokenPart:
    """Something to say in a voice of the language, the usual one of the engine."""
    usual = {"polly": "Joanna", "azure": "en-US-JennyNeural", "espeak-ng": "en-us", "openai": "alloy"}
    name = name or (usual.get(engine.capabilities.name, "") if language == "en" else "")
    voices = [voice for voice in engine.voices() if voice.speaks(language) and name in ("", voice.name)]
    return SpokenPart(text, voices[0], language=language, **fields)


def say(engine: TextToSpeech, *arguments: Any, **fields: Any) -> bytes:
    return b"".join(engine.speak(part(engine, *arguments, **fields)))
