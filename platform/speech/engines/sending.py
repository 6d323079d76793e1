"""A stretch of audio as the file that goes to a provider: lossless and small enough, never in memory as a whole."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from speech.audio.encoders import EncodingFailed
from speech.audio.encoding import MEDIA_TYPES, AudioFormat, encode, wav_header
from speech.audio.pcm import BYTES_PER_MS, SAMPLE_RATE_HZ, PcmRange
from speech.engines.errors import EngineError
from speech.engines.ports import Tick

CHUNK_BYTES: Final = 256 * 1024
PLAIN_MS: Final = 60_000  # up to here a WAV file: an encoder's process costs more than two megabytes
LEAST_MS: Final = 200  # AssemblyAI takes nothing under 160 ms, OpenAI nothing under 100: silence is added
TICK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class AudioFile:
    """An open file that goes away when it is closed; its name's ending tells the format."""

    file: IO[bytes]
    size_bytes: int
    name: str
    media_type: str

    def chunks(self, *, on_tick: Tick | None = None) -> Iterator[bytes]:
        """Its bytes for an upload."""
        self.file.seek(0)
        return ticked(iter(lambda: self.file.read(CHUNK_BYTES), b""), on_tick=on_tick)


@contextmanager
def audio_file(pcm: PcmRange, *, max_bytes: int | None = None, on_tick: Tick | None = None) -> Iterator[AudioFile]:
    """WAV when short, else FLAC; where even that might exceed `max_bytes`, Opus, which nobody hears the loss of."""
    form = _form(pcm, max_bytes=max_bytes)
    with tempfile.TemporaryFile(dir=pcm.path.parent) as file:
        for piece in _encoded(pcm, form=form, on_tick=on_tick):
            file.write(piece)
        size_bytes = file.tell()
        file.seek(0)
        yield AudioFile(file, size_bytes, f"audio.{'ogg' if form == 'opus' else form}", MEDIA_TYPES[form])


def ticked(pieces: Iterator[bytes], *, on_tick: Tick | None) -> Iterator[bytes]:
    """The pieces, and a tick about once a second between them."""
    due = time.monotonic() + TICK_S
    for piece in pieces:
        if on_tick is not None and time.monotonic() >= due:
            on_tick()
            due = time.monotonic() + TICK_S
        yield piece


def _form(pcm: PcmRange, *, max_bytes: int | None) -> AudioFormat:
    plain_bytes = pcm.duration_ms * BYTES_PER_MS + CHUNK_BYTES
    if max_bytes is not None and plain_bytes > max_bytes:
        return "opus"
    return "wav" if pcm.duration_ms <= PLAIN_MS else "flac"


def _encoded(pcm: PcmRange, *, form: AudioFormat, on_tick: Tick | None) -> Iterator[bytes]:
    samples = ticked(_samples(pcm), on_tick=on_tick)
    if form != "wav":
        try:
            yield from encode(samples, form=form, rate_in=SAMPLE_RATE_HZ, rate_out=SAMPLE_RATE_HZ)
        except EncodingFailed:
            detail = "The audio could not be made ready for sending. The part is tried again."
            raise EngineError(kind="transient", code="encoding_failed", detail=detail) from None
        return
    yield wav_header(rate_hz=SAMPLE_RATE_HZ, data_bytes=max(pcm.duration_ms, LEAST_MS) * BYTES_PER_MS)
    yield from samples


def _samples(pcm: PcmRange) -> Iterator[bytes]:
    """The range; raises ValueError when the file is shorter."""
    left = pcm.duration_ms * BYTES_PER_MS
    with pcm.path.open("rb") as file:
        file.seek(pcm.start_ms * BYTES_PER_MS)
        while left:
            piece = file.read(min(left, CHUNK_BYTES))
            if not piece:
                raise ValueError("the decoded file is shorter than the range")
            left -= len(piece)
            yield piece
    yield bytes(max(0, LEAST_MS - pcm.duration_ms) * BYTES_PER_MS)
