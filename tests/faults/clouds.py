"""Providers on loopback for a stack that is killed: they stay, and remember what they were asked for."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Self

from tests.fakes.assemblyai import FakeAssemblyAi
from tests.fakes.azure import FakeAzure
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.google import FakeGoogle
from tests.fakes.polly import FakePolly
from tests.fakes.provider import Answer, Asked, Fault

POLLY_S = 60  # nobody waits longer for a part that is held back
CATALOGUE_S = 1  # what is known of engines is read anew so often
LACKS = Answer(
    400,
    b'{"err_code": "INVALID_QUERY_PARAMETER", "err_msg": "No such model/language/tier combination found."}',
    {"Content-Type": "application/json"},
)


class Lacking(FakeDeepgram):
    """Deepgram that has no model for anybody: the next engine has to do it, and no circuit opens."""

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        return LACKS


class Weary(FakeGoogle):
    """Google that hears `hears` parts and then none any more, which it says once it `may_refuse`."""

    def __init__(self) -> None:
        super().__init__()
        self.hears, self.heard = 3, 0
        self.may_refuse, self._counting = threading.Event(), threading.Lock()

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.path.endswith(":recognize"):
            with self._counting:
                self.heard += 1
                too_many = self.heard > self.hears
            if too_many:
                self.may_refuse.wait(60)
                told = b'{"error": {"status": "INVALID_ARGUMENT", "message": "The language is not supported."}}'
                return Answer(400, told, {"Content-Type": "application/json"})
        return super().respond(asked, fault=fault)


class Breathless(FakePolly):
    """Polly that speaks `speaks` parts and holds the others back until it `may_go_on`, or refuses them then."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on, self._counting = threading.Event(), threading.Lock()
        self.begin(speaks=0)

    def begin(self, *, speaks: int, refuses: bool = False) -> None:
        """From now on; what it was asked before is forgotten."""
        self.may_go_on.clear()
        self.asked.clear()
        self.speaks, self.refuses, self.answered = speaks, refuses, 0

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        with self._counting:
            self.answered += 1
            too_many = self.answered > self.speaks
        if too_many:
            self.may_go_on.wait(POLLY_S)
        return super().respond(asked, fault="no_quota" if too_many and self.refuses else fault)


class Clouds:
    """`with Clouds() as clouds:` serves all of them."""

    def __init__(self) -> None:
        self.deepgram, self.google, self.assemblyai = Lacking(), Weary(), FakeAssemblyAi()
        self.assemblyai.polls = 0  # done when it is asked for the first time
        self.polly, self.azure = Breathless(), FakeAzure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.polly.may_go_on.set()
        for fake in (self.deepgram, self.google, self.assemblyai, self.polly, self.azure):
            with contextlib.suppress(OSError):
                fake.close()

    def settings(self) -> dict[str, str]:
        """What sets the stack up with them."""
        return {
            "PARLANCE_DEEPGRAM_API_KEY": self.deepgram.KEY, "PARLANCE_DEEPGRAM_BASE_URL": self.deepgram.url,
            "PARLANCE_ASSEMBLYAI_API_KEY": self.assemblyai.KEY, "PARLANCE_ASSEMBLYAI_BASE_URL": self.assemblyai.url,
            "PARLANCE_GOOGLE_SPEECH_CREDENTIALS": self.google.account(),
            "PARLANCE_GOOGLE_SPEECH_BASE_URL": self.google.url, "PARLANCE_GOOGLE_TOKEN_URL": f"{self.google.url}/token",
            "PARLANCE_POLLY_REGION": self.polly.REGION, "PARLANCE_POLLY_BASE_URL": self.polly.url,
            "AWS_ACCESS_KEY_ID": self.polly.KEY, "AWS_SECRET_ACCESS_KEY": "secret-example",
            "PARLANCE_AZURE_SPEECH_KEY": self.azure.KEY, "PARLANCE_AZURE_SPEECH_REGION": "koreacentral",
            "PARLANCE_AZURE_SPEECH_BASE_URL": self.azure.url,
            "PARLANCE_CATALOGUE_S": str(CATALOGUE_S),
        }  # fmt: skip

    def recognized(self) -> int:
        """Parts that Google was asked to hear."""
        return len([asked for asked in self.google.asked if asked.path.endswith(":recognize")])

    def works(self) -> list[Any]:
        """What AssemblyAI was paid for."""
        return list(self.assemblyai.works.values())
