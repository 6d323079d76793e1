"""Samples in, an audio file out, both as streams. The work happens in a process of its own (`encoder_process`)."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import IO, Final, Literal

from speech.audio.child import SOURCE_ROOT, clean_environment
from speech.audio.encoder_process import CODECS

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm", "mulaw"]
MEDIA_TYPES: Final[dict[AudioFormat, str]] = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm", "mulaw": "audio/basic",
}  # fmt: skip
CHUNK_BYTES: Final = 16_384
UNKNOWN_LENGTH: Final = 0xFFFFFFFF  # of a WAV that is still being made; players read to the end


class EncodingFailed(Exception):
    """The encoder's process ended without a file."""


def rate_for(form: AudioFormat, *, wanted_hz: int | None, voice_hz: int) -> int:
    """The rate of the file: the wanted one, else the voice's own, or the next higher one that the codec knows.

    >>> rate_for("opus", wanted_hz=None, voice_hz=22_050), rate_for("wav", wanted_hz=None, voice_hz=22_050)
    (24000, 22050)
    """
    rate_hz = wanted_hz or (8_000 if form == "mulaw" else voice_hz)
    known = CODECS[form][2]
    return rate_hz if known is None else next((rate for rate in known if rate >= rate_hz), known[-1])


def encode(chunks: Iterable[bytes], *, form: AudioFormat, rate_in: int, rate_out: int) -> Iterator[bytes]:
    """The file in chunks, as it is made; raises `EncodingFailed`, and whatever `chunks` raises."""
    if form == "wav":
        yield wav_header(rate_hz=rate_out)
    if form in {"wav", "pcm"} and rate_in == rate_out:
        yield from chunks
        return
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "speech.audio.encoder_process", form, str(rate_in), str(rate_out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        cwd=SOURCE_ROOT,
    )
    try:
        yield from _pumped(process, chunks)
    finally:
        process.kill()
        process.wait()


def wav_header(*, rate_hz: int, data_bytes: int | None = None) -> bytes:
    """A header for 16-bit mono samples (RIFF WAVE); the length may not be known yet."""
    size = UNKNOWN_LENGTH if data_bytes is None else data_bytes
    total = UNKNOWN_LENGTH if data_bytes is None else data_bytes + 36
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return b"RIFF" + struct.pack("<I", total) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)


def _pumped(process: subprocess.Popen[bytes], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One thread feeds, this one reads: neither pipe can fill up and stop both."""
    assert process.stdin is not None
    assert process.stdout is not None
    problems: list[BaseException] = []
    feeder = threading.Thread(target=_feed, args=(process.stdin, chunks, problems), name="encoder", daemon=True)
    feeder.start()
    with process.stdout as pipe:
        while chunk := pipe.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # buffered, so it has read1
            yield chunk
    feeder.join()
    if problems:
        raise problems[0]
    if process.wait() != 0:
        raise EncodingFailed


def _feed(pipe: IO[bytes], chunks: Iterable[bytes], problems: list[BaseException]) -> None:
    try:
        with contextlib.suppress(BrokenPipeError), pipe:
            for chunk in chunks:
                pipe.write(chunk)
    except BaseException as problem:  # told to the reading thread
        problems.append(problem)
