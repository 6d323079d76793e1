"""The encoder's program: samples on standard input, audio files on standard output, one file after the other.

Both ways in frames: four bytes of length (big endian), then so many bytes. A file begins with a frame of JSON such as
{"form": "mp3", "rate_in": 22050, "rate_out": 24000}; frames of samples follow, and an empty one ends it. Each frame of
samples, and the end, is answered by one with what is ready of the file: maybe nothing. It is a process of its own
because PyAV's native code has no place in the web process or a worker.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from typing import IO, Any, Final

# Container and codec of each format; the rates that the codec knows, None for any.
CODECS: Final[dict[str, tuple[str, str, tuple[int, ...] | None]]] = {
    "mp3": ("mp3", "libmp3lame", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    "opus": ("ogg", "libopus", (8000, 12000, 16000, 24000, 48000)),
    "aac": ("adts", "aac", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    "flac": ("flac", "flac", None),
    "wav": ("s16le", "pcm_s16le", None),
    "pcm": ("s16le", "pcm_s16le", None),
    "mulaw": ("mulaw", "pcm_mulaw", None),
}
HEAD: Final = struct.Struct(">I")
BIT_RATE: Final = 64_000  # speech in mono: nobody hears more


class InputEnded(Exception):
    """Whoever wanted the file has gone."""


class _Output:
    """What PyAV writes and never seeks, until it is taken."""

    def __init__(self) -> None:
        self._ready = bytearray()

    def write(self, data: bytes) -> int:
        self._ready += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._ready)
        self._ready.clear()
        return taken


def main() -> int:
    """Encode file after file until the input ends."""
    import av  # noqa: F401  # both before the rights are given up, and while nobody waits
    import numpy  # noqa: F401

    from speech.audio.confine import forbid_network_and_programs

    forbid_network_and_programs()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    try:
        while True:
            encode(source, target, **json.loads(read_frame(source)))
    except InputEnded:
        return 0


def encode(source: IO[bytes], target: IO[bytes], *, form: str, rate_in: int, rate_out: int) -> None:
    """16-bit mono samples from the frames of `source` as a file in the frames of `target`."""
    import av
    from av.audio.resampler import AudioResampler

    container_name, codec, _ = CODECS[form]
    output = _Output()
    with av.open(output, "w", format=container_name, options={"flush_packets": "1"}) as container:
        stream: Any = container.add_stream(codec, rate=rate_out, layout="mono")
        if codec in {"libmp3lame", "libopus", "aac"}:
            stream.bit_rate = BIT_RATE
        resampler = AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=rate_out,
            frame_size=stream.codec_context.frame_size or None,
        )  # fmt: skip
        container.start_encoding()  # opens the codec while the first samples are still awaited
        for frame in _frames(source, rate_hz=rate_in):
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
            write_frame(target, output.take())
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    write_frame(target, output.take())


def _frames(source: IO[bytes], *, rate_hz: int) -> Iterator[Any]:
    import numpy as np
    from av.audio import AudioFrame

    place = 0
    while data := read_frame(source):
        samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").reshape(1, -1)
        frame: Any = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate_hz, place
        place += samples.shape[1]
        yield frame


def read_frame(pipe: IO[bytes]) -> bytes:
    """The next frame; raises `InputEnded`."""
    head = pipe.read(HEAD.size)
    size = HEAD.unpack(head)[0] if len(head) == HEAD.size else 0
    data = pipe.read(size)
    if len(head) < HEAD.size or len(data) < size:
        raise InputEnded
    return data


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """One frame, sent at once."""
    pipe.write(HEAD.pack(len(data)) + data)
    pipe.flush()


if __name__ == "__main__":
    raise SystemExit(main())
