"""Small WAV files of exact length, so that what a job was billed for can be compared with what was sent."""

from __future__ import annotations

import io
import wave
from functools import lru_cache

import numpy as np

RATE_HZ = 8_000
TONE_HZ = 440
PERIOD_S = 5  # four seconds of tone, one of silence: places where a long file can be cut
LONG_MS = 21 * 60_000  # three segments of a fast engine


@lru_cache(maxsize=64)
def tone(duration_ms: int) -> bytes:
    """A mono 8-bit WAV of this many milliseconds: tone with a pause in every five seconds."""
    at = np.arange(PERIOD_S * RATE_HZ) / RATE_HZ
    period = (128 + 60 * np.sin(2 * np.pi * TONE_HZ * at)).astype(np.uint8)
    period[-RATE_HZ:] = 128
    samples = np.resize(period, duration_ms * RATE_HZ // 1000)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue()
