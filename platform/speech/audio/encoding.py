"""Samples in, an audio file out, both as streams. The work happens in processes of their own (`encoders`)."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Literal, Self

from speech.audio.encoder_process import CODECS
from speech.audio.encoders import EncoderProcess, give_back, take

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm", "mulaw"]
MEDIA_TYPES: Final[dict[AudioFormat, str]] = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm", "mulaw": "audio/basic",
}  # fmt: skip
UNKNOWN_LENGTH: Final = 0xFFFFFFFF  # of a WAV that is still being made; players read to the end


def rate_for(form: AudioFormat, *, wanted_hz: int | None, voice_hz: int) -> int:
    """The rate of the file: the wanted one, else the voice's own, or the next higher one that the codec knows.

    >>> rate_for("opus", wanted_hz=None, voice_hz=22_050), rate_for("wav", wanted_hz=None, voice_hz=22_050)
    (24000, 22050)
    """
    rate_hz = wanted_hz or (8_000 if form == "mulaw" else voice_hz)
    known = CODECS[form][2]
    return rate_hz if known is None else next((rate for rate in known if rate >= rate_hz), known[-1])


def is_as_spoken(form: AudioFormat, *, rate_in: int, rate_out: int) -> bool:
    """Whether a file of this format holds the samples as they come, and so needs no encoder."""
    return form in {"wav", "pcm"} and rate_in == rate_out


def encode(chunks: Iterable[bytes], *, form: AudioFormat, rate_in: int, rate_out: int) -> Iterator[bytes]:
    """The file in chunks, as it is made; raises `EncodingFailed`, and whatever `chunks` raises."""
    with Encoder(form, rate_in=rate_in, rate_out=rate_out) as encoder:
        for chunk in chunks:
            yield encoder.feed(chunk)
        yield from encoder.finish()


class Encoder:
    """One file: `feed` takes samples and gives what is ready of the file, `finish` gives the rest."""

    def __init__(self, form: AudioFormat, *, rate_in: int, rate_out: int) -> None:
        self._header = wav_header(rate_hz=rate_out) if form == "wav" else b""
        self._process: EncoderProcess | None = None
        if not is_as_spoken(form, rate_in=rate_in, rate_out=rate_out):
            self._process = take()
            self._process.send(json.dumps({"form": form, "rate_in": rate_in, "rate_out": rate_out}).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:  # in the middle of its file
            self._process.close()

    def feed(self, samples: bytes) -> bytes:
        """Take 16-bit mono samples; what is ready of the file. Raises `EncodingFailed`."""
        if self._process is None or not samples:
            return self._with_header(samples)
        return self._with_header(self._process.ask(samples))

    def finish(self) -> Iterator[bytes]:
        """The rest of the file; raises `EncodingFailed`."""
        rest = b""
        if self._process is not None:
            rest = self._process.ask(b"")
            process, self._process = self._process, None
            give_back(process)
        yield self._with_header(rest)

    def _with_header(self, data: bytes) -> bytes:
        if not data or not self._header:
            return data
        header, self._header = self._header, b""
        return header + data


def wav_header(*, rate_hz: int, data_bytes: int | None = None) -> bytes:
    """A header for 16-bit mono samples (RIFF WAVE); the length may not be known yet."""
    size = UNKNOWN_LENGTH if data_bytes is None else data_bytes
    total = UNKNOWN_LENGTH if data_bytes is None else data_bytes + 36
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return b"RIFF" + struct.pack("<I", total) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
