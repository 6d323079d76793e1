"""Decoded audio: raw signed 16-bit little-endian mono samples at 16 kHz.

A file always ends on a whole millisecond, so a range in milliseconds is a range in bytes and nothing is lost between
two ranges. `levels` holds what needs numpy; this file does without, because the web process imports it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_RATE_HZ: Final = 16_000
BYTES_PER_MS: Final = 2 * SAMPLE_RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class PcmRange:
    """A stretch of a decoded file, in milliseconds from its start."""

    path: Path
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError("a range of audio needs 0 <= start_ms < end_ms")

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    def read(self) -> bytes:
        """The samples as bytes; raises ValueError when the file is shorter than the range."""
        with self.path.open("rb") as file:
            file.seek(self.start_ms * BYTES_PER_MS)
            data = file.read(self.duration_ms * BYTES_PER_MS)
        if len(data) != self.duration_ms * BYTES_PER_MS:
            raise ValueError("the decoded file is shorter than the range")
        return data
