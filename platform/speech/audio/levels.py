"""How loud decoded audio is, every 20 ms, and the writer that measures it while it stores the samples.

The writer is used by the decoder's child process, the readers by whoever cuts.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from speech.audio.pcm import BYTES_PER_MS, SAMPLE_RATE_HZ

LEVEL_MS: Final = 20
LEVEL_SAMPLES: Final = SAMPLE_RATE_HZ * LEVEL_MS // 1000
LEVEL_FLOOR_DECIBEL: Final = -100.0
LEVEL_STEPS_PER_DECIBEL: Final = 10  # a level is an int16 in tenths of a decibel below full scale
SILENCE_LEVEL: Final = -600  # -60 dBFS: quieter than a quiet room, louder than dither
FULL_SCALE: Final = 32768.0
BLOCK_BYTES: Final = 250 * LEVEL_SAMPLES * 2  # five seconds: numpy's overhead vanishes, memory stays small

Levels = npt.NDArray[np.int16]


def read_levels(path: Path) -> Levels:
    """The levels that the decoder wrote: one int16 per 20 ms, in tenths of a decibel below full scale."""
    return np.fromfile(path, dtype="<i2").astype(np.int16, copy=False)


def levels_of(samples: npt.NDArray[np.int16]) -> Levels:
    """The level of every 20 ms of `samples`; a last, shorter stretch counts as a whole one.

    >>> levels_of(np.zeros(640, dtype=np.int16)).tolist()
    [-1000, -1000]
    """
    if missing := -len(samples) % LEVEL_SAMPLES:
        samples = np.pad(samples, (0, missing))
    frames = (samples.astype(np.float32) / FULL_SCALE).reshape(-1, LEVEL_SAMPLES)
    power = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / LEVEL_SAMPLES
    decibel = 10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR_DECIBEL / 10)))
    levels: Levels = np.round(decibel * LEVEL_STEPS_PER_DECIBEL).astype(np.int16)
    return levels


class PcmWriter:
    """Writes samples and levels as they come and keeps count; holds at most five seconds in memory."""

    def __init__(self, pcm: IO[bytes], *, levels: IO[bytes]) -> None:
        self._pcm = pcm
        self._levels = levels
        self._pending = bytearray()
        self._peak = 0
        self._loudest = round(LEVEL_FLOOR_DECIBEL * LEVEL_STEPS_PER_DECIBEL)
        self.size_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take samples in order; OSError when the disk or the file-size limit says no."""
        self._pending += data
        self.size_bytes += len(data)
        whole = len(self._pending) // BLOCK_BYTES * BLOCK_BYTES
        if whole:
            self._store(bytes(self._pending[:whole]))
            del self._pending[:whole]

    def fit(self, size_bytes: int) -> None:
        """Bring what was written to this size, with silence or by leaving out the end."""
        surplus = self.size_bytes - size_bytes
        if surplus <= 0:
            self.write(bytes(-surplus))
            return
        if surplus > len(self._pending):
            raise ValueError("what is stored cannot be shortened")
        del self._pending[-surplus:]
        self.size_bytes = size_bytes

    def finish(self) -> None:
        """Pad to a whole millisecond (at most 15 zero samples) and write what is pending."""
        padding = -self.size_bytes % BYTES_PER_MS
        self.write(bytes(padding))
        if self._pending:
            self._store(bytes(self._pending))
            self._pending.clear()
        for file in (self._pcm, self._levels):
            file.flush()

    @property
    def duration_ms(self) -> int:
        return -(-self.size_bytes // BYTES_PER_MS)

    @property
    def peak_dbfs(self) -> float:
        """The largest sample in decibel below full scale, with one decimal; -100.0 for digital silence."""
        if self._peak == 0:
            return LEVEL_FLOOR_DECIBEL
        return max(LEVEL_FLOOR_DECIBEL, round(20 * float(np.log10(self._peak / FULL_SCALE)), 1))

    @property
    def is_silent(self) -> bool:
        return self._loudest < SILENCE_LEVEL

    def _store(self, data: bytes) -> None:
        samples = np.frombuffer(data, dtype="<i2")
        levels = levels_of(samples)
        self._peak = max(self._peak, int(samples.max()), -int(samples.min()))
        self._loudest = max(self._loudest, int(levels.max()))
        self._pcm.write(data)
        self._levels.write(levels.astype("<i2").tobytes())


def open_writer(pcm_out: Path, *, levels_out: Path, files: ExitStack) -> PcmWriter:
    """A writer to fresh files, readable by us only and closed with `files`; what was there before is replaced."""
    return PcmWriter(files.enter_context(_create(pcm_out)), levels=files.enter_context(_create(levels_out)))


def _create(path: Path) -> IO[bytes]:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
