"""Google's RecognizeResponse as our transcript. Pure; raises what `foreign.reading` knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from speech.engines import foreign
from speech.engines.foreign import Speakers
from speech.engines.ports import EngineRequest, Heard, ReportedUnits
from speech.languages import primary
from speech.transcript import Segment, Word, assemble


def heard(told: dict[str, Any], *, raw: bytes, request: EngineRequest, duration_ms: int) -> Heard:
    """A whole answer; an empty one is silence."""
    metadata, results = told.get("metadata") or {}, told.get("results") or []
    if not told:
        raise ValueError("nothing is told")
    language = request.language or next((_language(one) for one in results if one.get("languageCode")), None)
    transcript = assemble(_segments(results, duration_ms=duration_ms), language=language, duration_ms=duration_ms)
    units = (ReportedUnits("audio_ms", milliseconds(metadata.get("totalBilledDuration"))),)
    request_id = foreign.text(metadata.get("requestId") or "")[:200]
    return Heard(transcript, raw, "", request_id, units)


def milliseconds(duration: Any) -> int:
    """A duration in protobuf's JSON form; zero is left out there.

    >>> milliseconds("1.200s"), milliseconds("3s"), milliseconds(None)
    (1200, 3000, 0)
    """
    if duration is None:
        return 0
    found = re.fullmatch(r"(-?\d{1,12}(\.\d{1,9})?)s", duration)
    if found is None:
        raise ValueError("no duration")
    return foreign.from_seconds(float(found[1]))


def _segments(results: list[dict[str, Any]], *, duration_ms: int) -> Iterator[Segment]:
    speakers, begun_ms = Speakers(), 0
    for result in results:
        best = (result.get("alternatives") or [{}])[0]
        ends_ms = milliseconds(result.get("resultEndOffset")) or duration_ms
        if best.get("words"):
            yield from foreign.sentences([_word(word, speakers) for word in best["words"]])
        elif best.get("transcript"):
            yield foreign.segment(best["transcript"], start_ms=begun_ms, end_ms=ends_ms)
        begun_ms = ends_ms


def _word(told: dict[str, Any], speakers: Speakers) -> Word:
    return foreign.word(
        told["word"],
        start_ms=milliseconds(told.get("startOffset")),
        end_ms=milliseconds(told.get("endOffset")),
        confidence=told.get("confidence"),
        speaker=speakers.name(told.get("speakerLabel") or None),
    )


def _language(result: dict[str, Any]) -> str | None:
    """`zh` for the Mandarin that Google names by itself."""
    tag = foreign.language(result["languageCode"])
    return "zh" if tag and primary(tag) == "cmn" else tag
