"""Having every engine and model hear every clip, one after the other, so that none slows another down."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from speech import choosing, fetching, pools, providers
from speech.audio.errors import MediaError
from speech.audio.pcm import PcmRange
from speech.catalogue import EngineModel, models_of
from speech.comparing.clips import Clip
from speech.comparing.scoring import Distance, character_distance, rate, word_distance
from speech.engines.errors import EngineError
from speech.engines.ports import Capabilities, CloudSpeechToText, EngineRequest, Pending, ReportedUnits
from speech.engines.ports import Heard as ProviderHeard
from speech.offers.current import catalogue
from speech.options import Options
from speech.workspace import workspace

PATIENCE_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model made of a clip: its text and how far that is from the truth, or why there is none."""

    clip: Clip
    audio_ms: int
    text: str = ""
    took_ms: int = 0
    units: tuple[ReportedUnits, ...] = ()
    words: Distance | None = None
    characters: Distance | None = None
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Contender:
    """An engine with one of its models."""

    engine: Capabilities
    model: EngineModel

    @property
    def name(self) -> str:
        return self.model.id if self.model.model else self.engine.name


@dataclass(frozen=True, slots=True)
class Result:
    """How a model did over all clips."""

    contender: Contender
    language: str
    heard: tuple[Heard, ...]

    @property
    def well(self) -> list[Heard]:
        """The clips that it has a text for."""
        return [one for one in self.heard if not one.failed]

    @property
    def wer(self) -> Decimal | None:
        return rate(one.words for one in self.well if one.words)

    @property
    def cer(self) -> Decimal | None:
        return rate(one.characters for one in self.well if one.characters)

    @property
    def audio_ms(self) -> int:
        return sum(one.audio_ms for one in self.well)

    def latency_ms(self, percent: int) -> int | None:
        """So many in a hundred clips took no longer."""
        known = sorted(one.took_ms for one in self.well)
        return known[min(len(known) - 1, len(known) * percent // 100)] if known else None

    @property
    def ms_per_audio_s(self) -> Decimal | None:
        took_ms = sum(one.took_ms for one in self.well)
        return Decimal(took_ms * 1000) / self.audio_ms if self.audio_ms else None

    @property
    def cost(self) -> Decimal | None:
        """What the provider asks for these clips, in `cost_currency`; None when that is not in the catalogue."""
        model = self.contender.model
        asked = [model.asked_for(each.unit, each.quantity) for one in self.well for each in one.units]
        known = [amount for amount in asked if amount is not None]
        return sum(known, Decimal(0)) if known else None


class NoContender(ValueError):
    """Nobody can be compared; the text says who there is."""


def contenders(*, language: str, engines: Sequence[str] = ()) -> list[Contender]:
    """Every engine here that knows the language with every model that is still offered; simulated ones only by name.

    Raises `NoContender`.
    """
    known, here = catalogue(), choosing.available()
    unknown = set(engines) - {able.name for able in here}
    wanted = [able for able in here if (able.name in engines if engines else able.quality != "simulated")]
    found = [
        Contender(able, model)
        for able in wanted
        if able.speaks(language)
        for model in models_of(able, known=known) or [EngineModel(able.name, "")]
        if model.speaks(language) and not model.lifecycle.is_over(today=_today())
    ]
    if unknown or not found:
        names = ", ".join(able.name for able in here)
        what = f"There is no engine {min(unknown)}" if unknown else f"No engine here knows {language}"
        raise NoContender(f"{what}. Engines: {names}.")
    return found


def compare(clips: Sequence[Clip], who: Sequence[Contender], *, language: str) -> Iterator[tuple[Contender, Heard]]:
    """Each clip by each of them, as it is heard."""
    for clip in clips:
        with workspace() as folder:
            pcm = _decoded(clip, folder)
            for contender in who:
                yield contender, _heard(contender, clip, pcm, language=language)


def _decoded(clip: Clip, folder: Path) -> PcmRange | str:
    """The samples, or the code of what is wrong with the file."""
    try:
        with pools.decoders.lend() as decoder:
            audio = decoder.decode(
                clip.audio, pcm_out=folder / "audio.pcm", levels_out=folder / "levels", limits=fetching.media_limits()
            )
    except MediaError as error:
        return error.code
    return PcmRange(audio.pcm, 0, audio.duration_ms) if audio.duration_ms else "media_empty"


def _heard(contender: Contender, clip: Clip, pcm: PcmRange | str, *, language: str) -> Heard:
    if isinstance(pcm, str):
        return Heard(clip, 0, failed=pcm)
    if pcm.duration_ms > contender.engine.max_part_ms:
        return Heard(clip, pcm.duration_ms, failed="longer_than_the_engine_takes")
    # Named as a customer names it: no other model stands in for it.
    request = EngineRequest(Options(language=language, model=contender.model.model), model=contender.model.model)
    begun = time.monotonic()
    try:
        text, units = _transcribe(contender.engine.name, pcm, request)
    except EngineError as error:
        return Heard(clip, pcm.duration_ms, failed=error.code)
    took_ms = round((time.monotonic() - begun) * 1000)
    words, characters = word_distance(clip.said, text), character_distance(clip.said, text)
    return Heard(clip, pcm.duration_ms, text, took_ms, units, words, characters)


def _transcribe(engine: str, pcm: PcmRange, request: EngineRequest) -> tuple[str, tuple[ReportedUnits, ...]]:
    """The text, and what a provider counts for it."""
    cloud = providers.hearers().get(engine)
    if cloud is not None:
        answer = _from_provider(cloud, pcm, request)
        return answer.transcript.text, answer.units
    with pools.lend_engine(engine) as local:
        return local.transcribe(pcm, request=request).text, ()


def _from_provider(cloud: CloudSpeechToText, pcm: PcmRange, request: EngineRequest) -> ProviderHeard:
    """Without a callback: a provider that has not finished is asked again."""
    until = time.monotonic() + PATIENCE_S
    answer = cloud.submit(pcm, request=request)
    while isinstance(answer, Pending):
        if not cloud.capabilities.polls or time.monotonic() > until:
            raise EngineError(kind="timeout", code="provider_never_finished", detail="It brought no text in time.")
        time.sleep(answer.poll_after_s)
        answer = cloud.poll(answer.external_id, request=request)
    return answer


def _today() -> date:
    return datetime.now(UTC).date()
