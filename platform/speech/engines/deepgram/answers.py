"""Deepgram's results as our transcript. Pure; raises what `foreign.reading` knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from speech.engines import foreign
from speech.engines.foreign import Speakers
from speech.engines.ports import EngineRequest, Heard, ReportedUnits
from speech.transcript import Segment, Word, assemble


def heard(told: dict[str, Any], *, raw: bytes, request: EngineRequest, duration_ms: int | None = None) -> Heard:
    """One channel's text: channels are heard apart by us. Without `duration_ms` Deepgram's own length counts."""
    metadata, channel = told["metadata"], told["results"]["channels"][0]
    audio_ms = foreign.from_seconds(metadata["duration"])
    language = request.language or foreign.language(channel.get("detected_language"))
    sure = None if request.language else foreign.share(channel.get("language_confidence"))
    transcript = assemble(
        _segments(told["results"], request=request), language=language, duration_ms=duration_ms or audio_ms,
        language_confidence=sure if language else None,
    )  # fmt: skip
    units = (ReportedUnits("audio_ms", audio_ms * max(1, foreign.count(metadata.get("channels", 1)))),)
    return Heard(transcript, raw, _model(metadata), foreign.text(metadata["request_id"]), units)


def _segments(results: dict[str, Any], *, request: EngineRequest) -> Iterator[Segment]:
    speakers = Speakers()
    utterances = results.get("utterances")
    for part in utterances if utterances is not None else results["channels"][0]["alternatives"][:1]:
        yield from foreign.sentences([_word(word, speakers, request=request) for word in part["words"]])


def _word(told: dict[str, Any], speakers: Speakers, *, request: EngineRequest) -> Word:
    return foreign.word(
        told.get("punctuated_word", told["word"]),
        start_ms=foreign.from_seconds(told["start"]),
        end_ms=foreign.from_seconds(told["end"]),
        confidence=told.get("confidence"),
        speaker=speakers.name(told.get("speaker")) if request.options.diarize else None,
    )


def _model(metadata: dict[str, Any]) -> str:
    """The name of the model that answered, such as general-nova-3."""
    models = list((metadata.get("model_info") or {}).values())
    return foreign.text(models[0]["name"]) if models else ""
