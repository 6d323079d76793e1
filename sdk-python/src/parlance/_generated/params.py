"""What may be sent along.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from typing_extensions import Required, TypedDict


class KeyLimitsParams(TypedDict, total=False):
    """Rates of the key's own, beside the tenant's."""

    audio_seconds: KeyRateParams | None

    characters: KeyRateParams | None

    concurrency: int | None
    """So many requests at the same moment."""

    requests: KeyRateParams | None


class KeyRateParams(TypedDict, total=False):
    """So much per so many seconds."""

    period_s: Required[int]

    quota: Required[int]


class KeyRoutingParams(TypedDict, total=False):
    """Which engines the key may use, beside what its tenant may."""

    allow: Sequence[str] | None

    deny: Sequence[str]

    fallbacks: int | None

    hedge: bool | None

    local_only: bool

    optimize: Literal["cost", "latency", "quality"] | None

    regions: Sequence[str] | None


class RoutingParams(TypedDict, total=False):
    """Which engines may hear this recording. What the key's or the tenant's policy forbids stays forbidden."""

    allow: Sequence[str] | None
    """Only these engines."""

    deny: Sequence[str]
    """Never these engines."""

    fallbacks: int | None
    """How many other engines may be tried when the first fails; default: all that fit."""

    hedge: bool | None
    """Of a short recording that is waited for: ask the next provider beside a first one that is slow, and take
    the answer that comes first. Billed once, as who answered.
    """

    local_only: bool
    """Only engines on this machine: no audio leaves it."""

    optimize: Literal["cost", "latency", "quality"] | None
    """What to prefer among engines that fit; default: the tenant's policy."""

    regions: Sequence[str] | None
    """Regions that providers may work in, such as eu; engines on this machine always may."""


class TranscriptionOptions(TypedDict, total=False):
    """Transcribe a recording: the options."""

    audio_end_ms: int | None
    """Hear up to here."""

    audio_start_ms: int
    """Hear from here on."""

    delete_after_s: int | None
    """Erase the content so many seconds after the job's end; 0: once it was fetched or delivered, after an hour
    at most. The tenant's own setting holds where it is shorter.
    """

    destination_id: str | None

    diarize: bool
    """Label who speaks."""

    engine: str | None
    """A wish; without one the best is taken."""

    language: str | None
    """BCP 47 tag of the speech, such as en or ko-KR."""

    languages: Sequence[str]
    """Candidates for detection, when the language is not known."""

    max_speakers: int | None

    metadata: Mapping[str, str]

    min_speakers: int | None

    model: str | None
    """One of an engine's models; see /v1/engines."""

    multichannel: bool
    """Hear each channel by itself; segments tell their channel."""

    profanity_filter: bool
    """Hide rude words."""

    prompt: str | None
    """Context for the engine."""

    redact_pii: Sequence[str]
    """Kinds of personal data to hide; ["all"] hides every kind."""

    reuse: Literal["auto", "never"] | None
    """`auto`: the same recording with the same options is answered from the earlier result, at the price of a
    cache hit. Default: the tenant's setting.
    """

    routing: RoutingParams | None
    """Which engines may be taken, and what is to be preferred among them."""

    simulate: str | None
    """Outcome of the simulated engine, such as transient_error."""

    speaker_scope: Literal["recording", "part"]
    """`part`: when no engine hears the whole recording at once, labels hold within a part only."""

    speakers: int | None
    """Exactly so many, if known."""

    speech_threshold: float | None
    """Refuse a recording with less than this share of speech; nothing is billed then."""

    tags: Sequence[str]

    task: Literal["transcribe", "translate"]
    """`translate` gives English text."""

    vocabulary: Sequence[str]
    """Names and terms to expect."""

    webhook_url: str | None
    """Receives this job's events, signed like those of an endpoint."""

    word_timestamps: bool | None
    """true: only engines with times for each word; false: leave the words out."""


class SpeechOptions(TypedDict, total=False):
    """Speak a text: the options."""

    delete_after_s: int | None
    """Erase the content so many seconds after the job's end; 0: once it was fetched or delivered, after an hour
    at most. The tenant's own setting holds where it is shorter.
    """

    destination_id: str | None

    engine: str | None

    format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm", "mulaw"]

    language: str | None
    """BCP 47 tag; without one, by the text's script."""

    metadata: Mapping[str, str]

    reuse: Literal["auto", "never"]
    """`auto`: the same text in the same voice is answered from the cache, cheaper."""

    sample_rate_hz: int | None
    """Default: the voice's own rate, or the next one that the format knows."""

    simulate: str | None

    speed: float
    """1 is the voice's own speed."""

    style: str | None
    """One of the voice's `styles`, see /v1/voices; without a voice, one that has it speaks."""

    tags: Sequence[str]

    timings: Literal["word", "sentence"] | None
    """When each word or sentence is said, see /timings and /captions. With Amazon Polly a call of its own,
    billed like the speech; /v1/engines tells which engines can.
    """

    voice: str | None
    """A voice or alias, see /v1/voices; without, by language."""

    webhook_url: str | None
