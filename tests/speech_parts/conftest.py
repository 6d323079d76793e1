"""Media made on the fly: tones and silence in every container, nothing stored."""

import os
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio import AudioFrame

from speech.audio.media import Audio, Decoder, MediaLimits
from tests.fakes.engines import StartFake, close_engines
from tests.fakes.provider import FakeProvider

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 48_000


def speech_folder() -> Path | None:
    """The folder of real recordings, None when this machine has none."""
    folder = Path(os.environ.get("PARLANCE_TEST_AUDIO", ROOT.parent / "shared" / "audio"))
    return folder if (folder / "jfk.flac").is_file() else None


@pytest.fixture(scope="session")
def real_speech() -> Path:
    folder = speech_folder()
    if folder is None:
        pytest.skip("no real speech: set PARLANCE_TEST_AUDIO to the folder with jfk.flac")
    return folder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder() as shared:
        yield shared


Decode = Callable[..., Audio]


@pytest.fixture
def decode(decoder: Decoder, tmp_path: Path) -> Decode:
    def run(source: Path, **limits: int) -> Audio:
        return decoder.decode(
            source,
            pcm_out=tmp_path / "out.pcm",
            levels_out=tmp_path / "out.levels",
            limits=MediaLimits(**limits),
        )

    return run


def tone(seconds: float, *, rate_hz: int = RATE_HZ, channels: int = 2) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A 440 Hz tone at -6 dBFS as [channels, samples]."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = np.round(16384 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    return np.tile(samples, (channels, 1))


def encode(
    path: Path, *, container: str, codec: str, seconds: float = 2.0, rate_hz: int = RATE_HZ, video: bool = False
) -> Path:
    """A tone in the given container and codec, optionally after a small video track."""
    with av.open(str(path), "w", format=container) as output:
        pictures = output.add_stream("mpeg4", rate=10) if video else None
        stream = output.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono" if codec in ("libopencore_amrnb", "amr_nb", "pcm_mulaw") else "stereo"
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
            for _ in range(round(10 * seconds)):
                output.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
            output.mux(pictures.encode(None))
        samples = tone(seconds, rate_hz=rate_hz, channels=stream.layout.nb_channels)
        frame = AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="s16", layout=stream.layout.name)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return path


def wav_file(path: Path, *, rate_hz: int = 16_000, channels: int = 1, samples: int = 16_000) -> Path:
    """A plain WAV of a tone, with any rate and channel count a header can claim."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        one = (8000 * np.sin(np.arange(samples) / 5)).astype("<i2")
        file.writeframes(np.repeat(one, channels).tobytes())
    return path


def box(kind: bytes, *content: bytes) -> bytes:
    """One MP4 box."""
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


@pytest.fixture
def start_fake() -> Iterator[StartFake]:
    """Starts providers' fakes; they and the engines that speak to them end with the test."""
    fakes: list[FakeProvider] = []

    def run(kind: type[FakeProvider]) -> FakeProvider:
        fakes.append(kind())
        return fakes[-1]

    yield run
    close_engines()
    for fake in fakes:
        fake.close()
