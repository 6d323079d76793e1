"""What Parlance asks of a speech-to-text engine: `SpeechToText` of one on this machine, `CloudSpeechToText` of a
provider's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from speech.audio.pcm import PcmRange
from speech.options import Feature, Options
from speech.transcript import Transcript

Quality = Literal["demo", "simulated", "production"]
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class EngineWarning:
    """Something every answer of an engine must tell: a stable `code` and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. `languages` None means any; `rtfx` is audio seconds per second of one core or call.

    Longer audio than `max_part_ms`, or than fits as samples into `max_part_bytes`, is cut. `in_process`: it answers at
    once without a core of its own, so that a request may wait for it in the web process. `executor` "" is one of its
    own on this machine, a provider's is "cloud:<provider>:<region>". `polls`: what was submitted can be asked for
    later, by its external id; `calls_back`: the provider can be given a URL to bring the result to. `model_features`
    holds those of a model that lacks some of the engine's.
    """

    name: str
    languages: frozenset[str] | None
    features: frozenset[Feature]
    max_part_ms: int
    quality: Quality
    rtfx: float
    models: tuple[str, ...] = ()
    in_process: bool = False
    warnings: tuple[EngineWarning, ...] = ()
    executor: str = ""
    region: str = ""  # where it works, if that is not in the executor's name
    max_part_bytes: int | None = None
    polls: bool = False
    calls_back: bool = False
    model_features: Mapping[str, frozenset[Feature]] = field(default_factory=dict, hash=False)

    def speaks(self, language: str | None) -> bool:
        """Whether a request for `language` (a tag such as "en-GB", or None for any) can be served."""
        if language is None or self.languages is None:
            return True
        return language.partition("-")[0].lower() in self.languages

    def lacks(self, needs: Iterable[Feature]) -> list[Feature]:
        """The features among `needs` that it does not have."""
        return sorted(set(needs) - self.features)

    def model_lacks(self, model: str, needs: Iterable[Feature]) -> list[Feature]:
        """The same of one of its models."""
        return sorted(set(needs) - self.model_features.get(model, self.features))


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One part of one job as the engine sees it.

    `model` is the engine's own name of the model that was chosen, "" its best. `reference` is the same for every
    delivery of the same call and says nothing of its content: for providers that take an id of the caller's. `attempt`
    counts from 1 how often this engine was asked for this part. `tenant` (an id) and `interactive` say whose turn it is
    and how urgent, for engines that hear many at once.
    """

    options: Options = field(default_factory=Options)
    model: str = ""
    reference: str = ""
    attempt: int = 1
    tenant: str = ""
    interactive: bool = False

    @property
    def language(self) -> str | None:
        """The language that was named, None when the engine must find it out."""
        return self.options.language


class SpeechToText(Protocol):
    """An engine on this machine; times in its transcript count from the start of the range it was given."""

    @property
    def capabilities(self) -> Capabilities: ...

    def transcribe(
        self, pcm: PcmRange, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """Text and times for `pcm`; raises EngineError. What `on_tick` raises passes through and stops the work."""
        ...

    def close(self) -> None:
        """Give back processes and memory."""
        ...


@dataclass(frozen=True, slots=True)
class ReportedUnits:
    """What a provider says it counts: "audio_ms", "characters", "input_tokens" or "output_tokens"."""

    unit: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A provider's answer: the canonical transcript, and its own words for it as they came (`raw`, content).

    `model` is the one that answered, where the provider tells; `external_id` its id of this call.
    """

    transcript: Transcript
    raw: bytes = b""
    model: str = ""
    external_id: str = ""
    units: tuple[ReportedUnits, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """Taken, and not done yet: ask again for `external_id` after so many seconds."""

    external_id: str
    poll_after_s: float


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a provider is to bring a result: the URL of this one call, and a secret only it is told."""

    url: str
    secret: str = field(repr=False)


class CloudSpeechToText(Protocol):
    """A provider's engine; shared by threads. Times in its transcripts count from the start of the range submitted.

    Every method raises EngineError, whose `kind` says what to do next, and nothing else of its own.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """Have it heard. `callback` is given only to an engine that calls back.

        `on_tick` is called about once a second while audio goes out or an answer is waited for; what it raises passes
        through and stops the work.
        """
        ...

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        """What has become of an earlier `submit`; only of an engine that polls."""
        ...

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        """What a provider brought; raises CallbackRefused unless it is the provider's own and about `external_id`.

        Reads what was delivered and calls nobody: a message that only says "done" gives a Pending with
        `poll_after_s` 0. `headers` have lower-case names.
        """
        ...

    def check_credentials(self) -> None:
        """One cheap call that costs nothing; raises EngineError of kind `auth` or `quota` when they are no good."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
