"""Providers' engines that hear, set up with fakes, and something for them to hear."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from speech.audio.pcm import PcmRange
from speech.engines.assemblyai import AssemblyAi
from speech.engines.azure import Azure
from speech.engines.deepgram import Deepgram
from speech.engines.google import Google
from speech.engines.openai import OpenAi
from speech.engines.ports import CloudSpeechToText, EngineRequest, Heard, Pending
from speech.engines.providers import (
    AssemblyAiSettings,
    AzureSettings,
    DeepgramSettings,
    GoogleSettings,
    OpenAiSettings,
)
from speech.options import Options
from tests.fakes.assemblyai import FakeAssemblyAi
from tests.fakes.azure import FakeAzure
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.engines import kept
from tests.fakes.google import FakeGoogle
from tests.fakes.openai import FakeOpenAi
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault

BEFORE = date(2027, 2, 25)


def google_settings(url: str, account: str) -> GoogleSettings:
    return GoogleSettings(account, base_url=url, token_url=f"{url}/token")


# Each provider's fake, and its engine at some address.
HEARERS: dict[str, tuple[type[FakeProvider], Callable[[Any, str], CloudSpeechToText]]] = {
    "assemblyai": (FakeAssemblyAi, lambda fake, url: AssemblyAi(AssemblyAiSettings(fake.KEY, base_url=url))),
    "deepgram": (FakeDeepgram, lambda fake, url: Deepgram(DeepgramSettings(fake.KEY, base_url=url))),
    "google": (FakeGoogle, lambda fake, url: Google(google_settings(url, fake.account()))),
    "openai": (
        FakeOpenAi,
        lambda fake, url: OpenAi(OpenAiSettings(fake.KEY, f"{url}/v1"), today=lambda: BEFORE),
    ),
    "azure": (FakeAzure, lambda fake, url: Azure(AzureSettings(fake.KEY, "koreacentral", url))),
}


def hearer(name: str, fake: Any, *, url: str = "") -> CloudSpeechToText:
    """The engine of a fake, which is closed after the test; `url` is another address than the fake's."""
    return kept(HEARERS[name][1](fake, url or fake.url))


# How many requests each of them makes until it has the text.
STEPS = {"assemblyai": 4, "deepgram": 1, "google": 2, "openai": 1, "azure": 1}


class Receiver(FakeProvider):
    """Where callbacks arrive."""

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        return Answer(200, b"")


def tone(path: Path, *, duration_ms: int) -> PcmRange:
    """Samples of a saw-tooth."""
    path.write_bytes(array("h", (300 * (place % 97) - 14_400 for place in range(16 * duration_ms))).tobytes())
    return PcmRange(path, 0, duration_ms)


def request_of(**options: Any) -> EngineRequest:
    return EngineRequest(Options(**options))


def hear(engine: CloudSpeechToText, pcm: PcmRange, **options: Any) -> Heard:
    """The text, asked for until it is there."""
    request = request_of(**options)
    answer = engine.submit(pcm, request=request)
    for _ in range(10):
        if isinstance(answer, Heard):
            return answer
        assert isinstance(answer, Pending)
        answer = engine.poll(answer.external_id, request=request)
    raise AssertionError("it is never done")
