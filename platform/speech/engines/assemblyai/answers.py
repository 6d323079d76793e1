"""AssemblyAI's transcript as ours. Pure; raises what `foreign.reading` knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from speech.engines import foreign
from speech.engines.foreign import Speakers
from speech.engines.ports import EngineRequest, Heard, ReportedUnits
from speech.transcript import Segment, Word, assemble


def heard(told: dict[str, Any], *, raw: bytes, request: EngineRequest) -> Heard:
    """A completed transcript; its length is told in whole seconds."""
    audio_ms = foreign.count(told["audio_duration"]) * 1000
    segments = list(_segments(told))
    end_ms = max((segment.end_ms for segment in segments), default=0)
    language = request.language or foreign.language(told.get("language_code"))
    sure = None if request.language else foreign.share(told.get("language_confidence"))
    transcript = assemble(
        segments, language=language, duration_ms=max(audio_ms, end_ms), language_confidence=sure if language else None
    )
    model = foreign.text(told.get("speech_model_used") or "")
    return Heard(transcript, raw, model, told["id"], (ReportedUnits("audio_ms", audio_ms),))


def nothing(external_id: str, *, raw: bytes, request: EngineRequest) -> Heard:
    """There was nothing to hear."""
    return Heard(assemble([], language=request.language, duration_ms=0), raw, "", external_id)


def is_silence(told: dict[str, Any]) -> bool:
    """Whether it failed only because nobody speaks: language detection has nothing to go by.

    >>> is_silence({"error": "language_detection cannot be performed on files with no spoken audio."})
    True
    """
    return "no spoken audio" in str(told.get("error", "")).lower()


def _segments(told: dict[str, Any]) -> Iterator[Segment]:
    speakers = Speakers()
    if not told.get("utterances"):
        yield from foreign.sentences([_word(word, speakers) for word in told["words"] or ()])
        return
    for turn in told["utterances"]:
        # A turn may be minutes of one voice: its words are put into sentences, as without turns.
        yield from foreign.sentences([_word(word, speakers) for word in turn["words"]])


def _word(told: dict[str, Any], speakers: Speakers) -> Word:
    start_ms, end_ms = foreign.from_ms(told["start"]), foreign.from_ms(told["end"])
    speaker = speakers.name(told.get("speaker"))
    return foreign.word(
        told["text"], start_ms=start_ms, end_ms=end_ms, confidence=told.get("confidence"), speaker=speaker
    )
