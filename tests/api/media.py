"""Media made on the fly, good and hostile."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from typing import Any

import av
import numpy as np
from av.audio import AudioFrame

SILENT_FRAME = 65_535  # FLAC's largest block: a day of silence is a few hundred of these


def tone(duration_ms: int = 1_000, *, seed: int = 0) -> bytes:
    """A 16 kHz mono WAV; another seed is another sound."""
    count = 16 * duration_ms
    samples = (np.arange(count) * (400 + seed) % 20_000 - 10_000).astype("<i2")
    return wav(samples.tobytes())


def wav(samples: bytes, *, rate_hz: int = 16_000, channels: int = 1) -> bytes:
    """16-bit samples with a WAV header."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples)
    return target.getvalue()


def silent_flac(duration_s: int, *, rate_hz: int = 8_000) -> bytes:
    """Hours of silence in a few hundred kilobytes."""
    target = io.BytesIO()
    with av.open(target, "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=rate_hz, layout="mono", options={"compression_level": "0"})
        stream.codec_context.options = {"frame_size": str(SILENT_FRAME)}
        left = duration_s * rate_hz
        block = np.zeros((1, 1 << 20), dtype=np.int16)
        while left > 0:
            frame: Any = AudioFrame.from_ndarray(block[:, : min(left, block.shape[1])], format="s16", layout="mono")
            frame.sample_rate = rate_hz
            container.mux(stream.encode(frame))
            left -= block.shape[1]
        container.mux(stream.encode(None))
    return target.getvalue()


def playlist(target: str) -> bytes:
    """An HLS playlist that names another file."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()


def zip_and_wav() -> bytes:
    """A file that one reader takes for a ZIP archive and another for a WAV."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("audio.wav", tone(100))
    return archive.getvalue() + tone(100)


def wav_of_255_channels() -> bytes:
    """One second with more channels than any microphone."""
    return wav(bytes(2 * 255 * 1_000), rate_hz=1_000 * 8, channels=255)


def lying_wav() -> bytes:
    """A header that promises 4 GB, and nothing behind it."""
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
        + b"data\xff\xff\xff\xff"
    )


Part = tuple[bytes, bytes]
BOUNDARY = b"parlance-test"
FORM = b"multipart/form-data; boundary=" + BOUNDARY


def part(name: str, value: bytes, *, filename: bytes | None = None, content_type: bytes | None = None) -> Part:
    """One part of a form: its headers and its bytes."""
    head = b'Content-Disposition: form-data; name="' + name.encode() + b'"'
    head += b'; filename="' + filename + b'"' if filename is not None else b""
    head += b"\r\nContent-Type: " + content_type if content_type is not None else b""
    return head, value


def form(*parts: Part) -> bytes:
    """A multipart body with our boundary."""
    shown = b"".join(b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + value + b"\r\n" for head, value in parts)
    return shown + b"--" + BOUNDARY + b"--\r\n"
