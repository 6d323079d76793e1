"""The encoder's program: samples on standard input, an audio file on standard output, both as streams.

The first line of the input is JSON: {"form": "mp3", "rate_in": 22050, "rate_out": 24000}. So a process can be started
ahead and wait. It is a process of its own because PyAV's native code has no place in the web process or a worker.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import chain
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
BLOCK_SAMPLES: Final = 4096
BIT_RATE: Final = 64_000  # speech in mono: nobody hears more


class _Output:
    """Standard output as PyAV wants it: written, never sought."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        self._pipe.write(data)
        self._pipe.flush()
        return len(data)


def main() -> int:
    """Encode one file; an input that ends before it began is a process that was not needed."""
    import av  # noqa: F401  # before the rights are given up, and while nobody waits

    from speech.audio.confine import forbid_network_and_programs

    forbid_network_and_programs()
    source = sys.stdin.buffer
    first = source.readline()
    if first:
        encode(source, sys.stdout.buffer, **json.loads(first))
    return 0


def encode(source: IO[bytes], target: IO[bytes], *, form: str, rate_in: int, rate_out: int) -> None:
    """16-bit mono samples from `source` as a file in `target`."""
    import av
    from av.audio.resampler import AudioResampler

    container_name, codec, _ = CODECS[form]
    with av.open(_Output(target), "w", format=container_name, options={"flush_packets": "1"}) as container:
        stream: Any = container.add_stream(codec, rate=rate_out, layout="mono")
        if codec in {"libmp3lame", "libopus", "aac"}:
            stream.bit_rate = BIT_RATE
        resampler = AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=rate_out,
            frame_size=stream.codec_context.frame_size or None,
        )  # fmt: skip
        for frame in chain(_frames(source, rate_hz=rate_in), [None]):
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


def _frames(source: IO[bytes], *, rate_hz: int) -> Iterator[Any]:
    import numpy as np
    from av.audio import AudioFrame

    place = 0
    while data := source.read(2 * BLOCK_SAMPLES):
        samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").reshape(1, -1)
        frame: Any = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate_hz, place
        place += samples.shape[1]
        yield frame


if __name__ == "__main__":
    raise SystemExit(main())
