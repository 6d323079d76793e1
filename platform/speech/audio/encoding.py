"""Samples in, an audio file out, both as streams. The work happens in a process of its own (`encoder_process`)."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Literal, Self

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
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: deque[bytes] = deque()
        if not is_as_spoken(form, rate_in=rate_in, rate_out=rate_out):
            self._process = _take_process()
            self._send(json.dumps({"form": form, "rate_in": rate_in, "rate_out": rate_out}).encode() + b"\n")
            self._reader = threading.Thread(target=self._read, name="encoder", daemon=True)
            self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def feed(self, samples: bytes) -> bytes:
        """Take 16-bit mono samples; whatever of the file is there by now."""
        if self._process is None:
            return self._with_header(samples)
        self._send(samples)
        return self._with_header(self._taken())

    def finish(self) -> Iterator[bytes]:
        """The rest of the file; raises `EncodingFailed`."""
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._reader.join()
            if self._process.wait() != 0:
                raise EncodingFailed
        yield self._with_header(self._taken())

    def _with_header(self, data: bytes) -> bytes:
        if not data or not self._header:
            return data
        header, self._header = self._header, b""
        return header + data

    def _taken(self) -> bytes:
        taken = []
        while self._ready:
            taken.append(self._ready.popleft())
        return b"".join(taken)

    def _send(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise EncodingFailed from None

    def _read(self) -> None:
        """A thread of its own takes what the process gives, so that neither pipe can fill up and stop both."""
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while chunk := pipe.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # buffered, so it has read1
                self._ready.append(chunk)


def wav_header(*, rate_hz: int, data_bytes: int | None = None) -> bytes:
    """A header for 16-bit mono samples (RIFF WAVE); the length may not be known yet."""
    size = UNKNOWN_LENGTH if data_bytes is None else data_bytes
    total = UNKNOWN_LENGTH if data_bytes is None else data_bytes + 36
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return b"RIFF" + struct.pack("<I", total) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)


_warm: deque[subprocess.Popen[bytes]] = deque()  # one that has loaded everything and waits: a start takes 0.1 s


def _take_process() -> subprocess.Popen[bytes]:
    try:
        process = _warm.popleft()
    except IndexError:
        process = _start_process()
    _warm.append(_start_process())
    return process


def _start_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "speech.audio.encoder_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        cwd=SOURCE_ROOT,
    )


def close_encoders() -> None:
    """End the process that waits."""
    while _warm:
        process = _warm.popleft()
        process.kill()
        with process:  # closes its pipes and waits for it
            pass
