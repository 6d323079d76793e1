"""What of a decoded recording is to be heard, and in which parts. Costs nothing but a look at its levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from dispatch.facade import GiveUp
from speech import pools
from speech.audio.media import Audio
from speech.audio.pcm import BYTES_PER_MS
from speech.engines.ports import Capabilities
from speech.options import Options

if TYPE_CHECKING:
    from speech.audio.cuts import Span
    from speech.audio.levels import Levels

MIN_SEGMENT_MS, MAX_SEGMENT_MS = 2_000, 600_000


class Taken(Protocol):
    """A part that somebody has heard or is at."""

    @property
    def ordinal(self) -> int: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """The wanted range in ms of the recording, its parts, and how many channels are heard apart (1: together).

    `cut` cuts any range of it.
    """

    start_ms: int
    end_ms: int
    spans: tuple[Span, ...]
    channels: int
    cut: Callable[[int, int], tuple[Span, ...]] = lambda start_ms, end_ms: ()

    @property
    def wanted_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def parts(self) -> list[tuple[int, Span]]:
        """Each part with its ordinal: the channels of a span stand together, so that it is readable as a whole."""
        return [
            (number * self.channels + channel, span)
            for number, span in enumerate(self.spans)
            for channel in range(self.channels)
        ]

    def misfits(self, taken: Iterable[Taken]) -> set[int]:
        """The ordinals of those that are none of these parts."""
        own = {(number, span.start_ms, span.end_ms) for number, span in self.parts}
        return {part.ordinal for part in taken if (part.ordinal, part.start_ms, part.end_ms) not in own}

    def missing(self, taken: Sequence[Taken]) -> list[tuple[int, Span]]:
        """The parts that are left when these are heard already, or being heard, however they were cut.

        Channels that are heard apart must have been cut alike.
        """
        if self.channels > 1 or not self.misfits(taken):
            numbers = {part.ordinal for part in taken}
            return [(number, span) for number, span in self.parts if number not in numbers]
        spans = [span for gap in self._gaps(taken) for span in self.cut(*gap)]
        return list(enumerate(spans, start=max(part.ordinal for part in taken) + 1))

    def _gaps(self, taken: Sequence[Taken]) -> Iterator[tuple[int, int]]:
        until_ms = self.start_ms
        for part in sorted(taken, key=lambda part: part.start_ms):
            if part.start_ms > until_ms:
                yield until_ms, part.start_ms
            until_ms = max(until_ms, part.end_ms)
        if until_ms < self.end_ms:
            yield until_ms, self.end_ms


def plan(audio: Audio, *, options: Options, engine: str) -> Plan:
    """Parts of at most about 10 s (a setting) of the engine's own time, cut where it is quiet; raises `GiveUp`."""
    # Late: numpy is for the process that cuts; the web process does without its 12 MB.
    from speech.audio.levels import read_levels

    levels = read_levels(audio.levels)
    start_ms, end_ms = _range(audio, options)
    if options.speech_threshold is not None:
        _require_speech(levels, options=options, start_ms=start_ms, end_ms=end_ms)
    cut = partial(_cut, levels, options=options, engine=engine)
    return Plan(start_ms, end_ms, cut(start_ms, end_ms), channels=max(1, len(audio.channel_pcm)), cut=cut)


def whole(audio: Audio, *, engine: str) -> Plan | None:
    """The plan of a recording that is heard from start to end as one part; None when it is silent or has to be cut."""
    if audio.silence or not 0 < audio.duration_ms <= _target_ms(engine):
        return None
    return Plan(0, audio.duration_ms, spans=(), channels=1)


def _range(audio: Audio, options: Options) -> tuple[int, int]:
    end_ms = min(options.audio_end_ms or audio.duration_ms, audio.duration_ms)
    if options.audio_start_ms >= end_ms > 0:
        detail = f"The recording is {audio.duration_ms} ms long and audio_start_ms is not before its end."
        raise GiveUp("audio_range_empty", f"{detail} Send a smaller audio_start_ms.")
    return options.audio_start_ms, end_ms


def _require_speech(levels: Levels, *, options: Options, start_ms: int, end_ms: int) -> None:
    from speech.audio.speech_share import speech_share

    share = speech_share(levels, start_ms=start_ms, end_ms=end_ms)
    if options.speech_threshold is not None and share < options.speech_threshold:
        detail = f"Only {share:.0%} of the recording is speech, less than the speech_threshold. Nothing was billed."
        raise GiveUp("speech_threshold_not_met", detail)


def limit_ms(able: Capabilities) -> int:
    """The longest part that an engine takes.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> limit_ms(CAPABILITIES)
    600000
    """
    if able.max_part_bytes is None:
        return able.max_part_ms
    return min(able.max_part_ms, able.max_part_bytes // BYTES_PER_MS)


def _cut(levels: Levels, start_ms: int, end_ms: int, *, options: Options, engine: str) -> tuple[Span, ...]:
    from speech.audio.cuts import Span, plan_segments

    max_ms = limit_ms(pools.capabilities_of(engine))
    if options.diarize and options.speaker_scope == "recording":
        if end_ms - start_ms > max_ms:
            raise GiveUp("diarization_too_long", _too_long(engine, max_ms=max_ms))
        return (Span(start_ms, end_ms),)
    target_ms = _target_ms(engine)
    return plan_segments(levels, duration_ms=end_ms, target_ms=target_ms * 3 // 4, max_ms=target_ms, start_ms=start_ms)


def _target_ms(engine: str) -> int:
    """A provider takes what its limit allows; an engine of this machine about so much that others need not wait."""
    able = pools.capabilities_of(engine)
    if able.executor:
        return limit_ms(able)
    work_ms = max(MIN_SEGMENT_MS, round(settings.SEGMENT_WORK_MS * able.rtfx))
    return min(work_ms, limit_ms(able), MAX_SEGMENT_MS)


def _too_long(engine: str, *, max_ms: int) -> str:
    return (
        f"{engine} labels speakers over at most {max_ms} ms at once. Send speaker_scope: part to have them labelled "
        "for each part by itself."
    )
