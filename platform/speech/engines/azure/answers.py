"""Azure's phrases as our transcript. Pure; raises what `foreign.reading` knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from speech.engines import foreign
from speech.engines.foreign import Speakers
from speech.engines.ports import EngineRequest, Heard, ReportedUnits
from speech.transcript import Segment, Word, assemble


def heard(told: dict[str, Any], *, raw: bytes, request: EngineRequest, duration_ms: int) -> Heard:
    """A whole answer; words have no confidence of their own, so each has its phrase's."""
    phrases = told["phrases"]
    audio_ms = foreign.from_ms(told["durationMilliseconds"])
    language = "en" if request.options.task == "translate" else request.language or _language(phrases)
    transcript = assemble(_segments(phrases, request=request), language=language, duration_ms=duration_ms)
    return Heard(transcript, raw, units=(ReportedUnits("audio_ms", audio_ms),))


def _segments(phrases: list[dict[str, Any]], *, request: EngineRequest) -> Iterator[Segment]:
    speakers = Speakers()
    in_order = sorted(phrases, key=lambda phrase: foreign.from_ms(phrase["offsetMilliseconds"]))
    for phrase in in_order:
        speaker = speakers.name(phrase.get("speaker")) if request.options.diarize else None
        start_ms, end_ms = _times(phrase)
        words = [_word(one, phrase, speaker=speaker) for one in phrase.get("words") or ()]
        yield foreign.segment(phrase["text"], start_ms=start_ms, end_ms=end_ms, words=words, speaker=speaker)


def _word(told: dict[str, Any], phrase: dict[str, Any], *, speaker: str | None) -> Word:
    start_ms, end_ms = _times(told)
    return foreign.word(
        told["text"], start_ms=start_ms, end_ms=end_ms, confidence=phrase.get("confidence"), speaker=speaker
    )


def _times(told: dict[str, Any]) -> tuple[int, int]:
    start_ms = foreign.from_ms(told["offsetMilliseconds"])
    return start_ms, start_ms + foreign.from_ms(told["durationMilliseconds"])


def _language(phrases: list[dict[str, Any]]) -> str | None:
    """The language of most phrases."""
    told = Counter(tag for phrase in phrases if (tag := foreign.language(phrase.get("locale"))))
    return told.most_common(1)[0][0] if told else None
