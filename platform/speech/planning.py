"""What of a decoded recording is to be heard, and in which parts. Costs nothing but a look at its levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from dispatch.facade import GiveUp
from speech import pools
from speech.audio.media import Audio
from speech.options import Options

if TYPE_CHECKING:
    from speech.audio.cuts import Span
    from speech.audio.levels import Levels

MIN_SEGMENT_MS, MAX_SEGMENT_MS = 2_000, 600_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The wanted range in ms of the recording, its parts, and how many channels are heard apart (1: together)."""

    start_ms: int
    end_ms: int
    spans: tuple[Span, ...]
    channels: int

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


def plan(audio: Audio, *, options: Options, engine: str) -> Plan:
    """Parts of at most about 10 s (a setting) of the engine's own time, cut where it is quiet; raises `GiveUp`."""
    # Late: numpy is for the process that cuts; the web process does without its 12 MB.
    from speech.audio.levels import read_levels

    levels = read_levels(audio.levels)
    start_ms, end_ms = _range(audio, options)
    if options.speech_threshold is not None:
        _require_speech(levels, options=options, start_ms=start_ms, end_ms=end_ms)
    spans = _spans(levels, options=options, engine=engine, start_ms=start_ms, end_ms=end_ms)
    return Plan(start_ms, end_ms, spans, channels=max(1, len(audio.channel_pcm)))


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


def _spans(levels: Levels, *, options: Options, engine: str, start_ms: int, end_ms: int) -> tuple[Span, ...]:
    from speech.audio.cuts import Span, plan_segments

    able = pools.capabilities_of(engine)
    if options.diarize and options.speaker_scope == "recording":
        if end_ms - start_ms > able.max_part_ms:
            raise GiveUp("diarization_too_long", _too_long(engine, max_ms=able.max_part_ms))
        return (Span(start_ms, end_ms),)
    target_ms = _target_ms(engine)
    return plan_segments(levels, duration_ms=end_ms, target_ms=target_ms * 3 // 4, max_ms=target_ms, start_ms=start_ms)


def _target_ms(engine: str) -> int:
    able = pools.capabilities_of(engine)
    work_ms = max(MIN_SEGMENT_MS, round(settings.SEGMENT_WORK_MS * able.rtfx))
    return min(work_ms, able.max_part_ms, MAX_SEGMENT_MS)


def _too_long(engine: str, *, max_ms: int) -> str:
    return (
        f"{engine} labels speakers over at most {max_ms} ms at once. Send speaker_scope: part to have them labelled "
        "for each part by itself."
    )
