"""OpenAI's json, verbose_json and diarized_json as our transcript. Pure; raises what `foreign.reading` knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from speech.engines import foreign
from speech.engines.foreign import Speakers
from speech.engines.ports import EngineRequest, Heard, ReportedUnits
from speech.transcript import Segment, Word, assemble, clean_text


def heard(told: dict[str, Any], *, raw: bytes, request: EngineRequest, duration_ms: int) -> Heard:
    """Any of its answers; the newest model tells no times at all, so that its text is one segment."""
    transcript = assemble(
        _segments(told, duration_ms=duration_ms), language=_language(told, request), duration_ms=duration_ms
    )
    return Heard(transcript, raw, units=tuple(_units(told, duration_ms=duration_ms)))


def _segments(told: dict[str, Any], *, duration_ms: int) -> Iterator[Segment]:
    if not told.get("segments"):
        yield foreign.segment(told["text"], start_ms=0, end_ms=duration_ms)
        return
    words, speakers = _words(told), Speakers()
    segments = told["segments"]
    for place, one in enumerate(segments):
        start_ms, end_ms = foreign.from_seconds(one["start"]), foreign.from_seconds(one["end"])
        until_ms = foreign.from_seconds(segments[place + 1]["start"]) if place + 1 < len(segments) else None
        yield foreign.segment(
            one["text"], start_ms=start_ms, end_ms=end_ms, words=_taken(words, until_ms=until_ms),
            speaker=speakers.name(one.get("speaker")),
        )  # fmt: skip


def _words(told: dict[str, Any]) -> list[Word]:
    return [
        foreign.word(one["word"], start_ms=foreign.from_seconds(one["start"]), end_ms=foreign.from_seconds(one["end"]))
        for one in told.get("words") or ()
        if clean_text(one["word"])
    ]


def _taken(words: list[Word], *, until_ms: int | None) -> Sequence[Word]:
    """The words that begin before the next segment, out of the list."""
    place = 0
    while place < len(words) and (until_ms is None or words[place].start_ms < until_ms):
        place += 1
    taken, words[:] = words[:place], words[place:]
    return taken


def _language(told: dict[str, Any], request: EngineRequest) -> str | None:
    if request.options.task == "translate":
        return "en"
    languages = told.get("languages") or []
    code = languages[0].get("code") if languages else told.get("language")
    return request.language or foreign.language(code)


def _units(told: dict[str, Any], *, duration_ms: int) -> Iterator[ReportedUnits]:
    """The length always, as OpenAI tells it or as it was sent: some models that count tokens are paid by time."""
    usage = told.get("usage") or {}
    is_told = usage.get("type") == "duration"
    yield ReportedUnits("audio_ms", foreign.from_seconds(usage["seconds"]) if is_told else duration_ms)
    if usage.get("type") == "tokens":
        yield ReportedUnits("input_tokens", foreign.count(usage["input_tokens"]))
        yield ReportedUnits("output_tokens", foreign.count(usage["output_tokens"]))
