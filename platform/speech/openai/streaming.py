"""`stream=true`: a job's text as OpenAI's server-sent events, while it is heard or all at once when it is there.

    transcript.text.delta …  transcript.text.segment (diarized) …  transcript.text.done  [DONE]

A stream is the only reader of its job. Whoever leaves it early has read all that will ever be read, so the job is
canceled, and the bill is for what was sent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from apikit.dialects import openai_error
from apikit.facade import Problem
from observe.facade import get_logger
from speech.openai import errors, shapes, speakers
from speech.queries import Found
from speech.transcript import Segment, join_texts

if TYPE_CHECKING:
    from speech.streaming import News

DONE: Final = b"data: [DONE]\n\n"
HEARTBEAT: Final = b": keep-alive\n\n"

log = get_logger(__name__)


@dataclass(slots=True)
class Narrator:
    """Turns segments into events, and knows what was said: the deltas joined are the text."""

    language: str | None = None
    diarized: bool = False
    names: list[str] = field(default_factory=list)
    begun: bool = False
    _last: str = ""
    _labels: dict[str, str] = field(default_factory=dict)

    def tell(self, segment: Segment) -> Iterator[bytes]:
        """The events of the next segment."""
        self.begun = True
        joined = join_texts([self._last, segment.text], language=self.language)
        delta: dict[str, Any] = {"type": "transcript.text.delta", "delta": joined[len(self._last) :]}
        if self.diarized:
            delta["segment_id"] = shapes.segment_id(segment.id)
        self._last = segment.text or self._last
        yield _event(delta)
        if self.diarized:
            self._labels = speakers.named(self._labels, [segment], names=self.names)
            yield _event(shapes.diarized_segment(segment, names=self._labels))

    def close(self, found: Found) -> Iterator[bytes]:
        """The last events of a job that has ended."""
        if found.job.state == "completed" and found.transcript is not None:
            done = {"type": "transcript.text.done", "text": found.transcript.text, "usage": shapes.usage(found)}
            yield _event(done | {"x_parlance": shapes.ours(found)})
            yield DONE
        else:
            yield _event(openai_error(errors.failure(found)))


def narrator_of(found: Found) -> Narrator:
    """The narrator that the request asks for."""
    asked = found.request.presentation
    return Narrator(
        language=found.request.language or None,
        diarized=asked.get("response_format") == "diarized_json",
        names=list(asked.get("names", ())),
    )


def whole(found: Found) -> bytes:
    """All events of a job that has ended."""
    narrator = narrator_of(found)
    segments = found.transcript.segments if found.transcript else ()
    return b"".join([*(event for segment in segments for event in narrator.tell(segment)), *narrator.close(found)])


async def events(
    news: AsyncGenerator[News, None], *, abandon: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes, None]:
    """The events of a job as it goes on. `abandon` is called once if this ends before the job does."""
    ended, narrator = False, Narrator()
    try:
        async with aclosing(news):
            async for item in news:
                if item.heartbeat:
                    yield HEARTBEAT
                if item.found is not None and not narrator.begun:
                    narrator = narrator_of(item.found)
                for segment in item.segments:
                    for event in narrator.tell(segment):
                        yield event
                if item.final is not None:
                    ended = True
                    for event in narrator.close(item.final):
                        yield event
                    return
        ended = True  # the job and its text are gone
        yield _event(openai_error(_gone()))
    except Exception as error:
        log.exception("openai_stream_crashed", error=type(error).__name__)
        yield _event(openai_error(_crashed()))
    finally:
        if not ended:
            await abandon()


def _gone() -> Problem:
    return Problem("not_found", 404, "The transcription was deleted while it was read. Send the file again.")


def _crashed() -> Problem:
    return Problem(
        "internal_error", 500, "The stream broke on our side, and is billed up to here. Send the file again."
    )


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
