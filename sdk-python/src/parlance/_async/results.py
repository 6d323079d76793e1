"""What `transcribe` and `speak` return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typing_extensions import TypedDict, Unpack

from parlance._async.resources.speech import AsyncSpeechResource
from parlance._async.resources.transcriptions import AsyncTranscriptionsResource
from parlance._files import written
from parlance._generated.models import Cost, Segment, Speech, Transcription, Word


class CaptionOptions(TypedDict, total=False):
    """How captions look; what is left out follows the language."""

    max_line_chars: int
    max_lines: int
    min_cue_ms: int
    max_cue_ms: int
    max_chars_per_s: int
    word_times: bool
    speakers: bool


class AsyncTranscriptionResult:
    """A completed transcription. `transcription` is all of it; captions are asked for: they are the platform's own."""

    def __init__(self, transcriptions: AsyncTranscriptionsResource, transcription: Transcription) -> None:
        self._transcriptions = transcriptions
        self.transcription = transcription

    @property
    def id(self) -> str:
        return self.transcription.id

    @property
    def text(self) -> str:
        return self.transcription.text or ""

    @property
    def words(self) -> list[Word]:
        """Each with `text`, `start_ms`, `end_ms`; empty when the engine gives no times for words."""
        return self.transcription.words or []

    @property
    def segments(self) -> list[Segment]:
        return self.transcription.segments or []

    @property
    def language(self) -> str | None:
        return self.transcription.language

    @property
    def duration_ms(self) -> int:
        return self.transcription.duration_ms or 0

    @property
    def cost(self) -> Cost | None:
        """The exact price; None for a test key's job, which costs nothing."""
        return self.transcription.cost

    @property
    def engine(self) -> str:
        return self.transcription.engine or ""

    @property
    def routing(self) -> dict[str, Any]:
        """Why this engine was chosen."""
        return self.transcription.routing or {}

    async def to_srt(self, **captions: Unpack[CaptionOptions]) -> str:
        """SubRip captions."""
        return await self._transcriptions.transcript(self.id, format="srt", **captions)

    async def to_vtt(self, **captions: Unpack[CaptionOptions]) -> str:
        """WebVTT captions."""
        return await self._transcriptions.transcript(self.id, format="vtt", **captions)

    async def delete(self) -> None:
        """Erase recording and text; the line in the bill stays."""
        await self._transcriptions.delete(self.id)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {len(self.text)} characters, {self.duration_ms} ms>"


class AsyncSpokenAudio:
    """Spoken text: `content` is the file, unless it went to `path` while it came."""

    def __init__(
        self, speech: AsyncSpeechResource, *, speech_id: str, content: bytes, content_type: str, voice: str,
        path: Path | None = None,
    ) -> None:  # fmt: skip
        self._speech = speech
        self.id = speech_id
        self.content = content
        self.content_type = content_type
        self.voice = voice
        self.path = path

    def save(self, path: str | Path) -> None:
        """Write it to a file."""
        content = bytes(self)
        with written(path) as file:
            file.write(content)

    async def details(self) -> Speech:
        """The job: `cost`, `engine`, `characters`, `routing`."""
        return await self._speech.get(self.id)

    def __bytes__(self) -> bytes:
        return self.content if self.path is None else self.path.read_bytes()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.content_type}, {self.voice}>"
