"""Mixing unusual channel counts to mono; runs in the decoder's child process."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.audio import AudioFrame

MOST_NAMED_CHANNELS: Final = 8  # libswresample knows how to mix layouts up to 7.1


def needs_own_mixing(frame: AudioFrame) -> bool:
    """Whether the channels have no names, so that libswresample cannot mix them."""
    channels = frame.layout.nb_channels
    return channels > MOST_NAMED_CHANNELS or (channels > 2 and frame.layout.name.endswith("channels"))


def mono_frame(frame: AudioFrame) -> AudioFrame:
    """The mean of all channels as one mono float frame: libswresample has no matrix for such layouts."""
    samples: npt.NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    mixed = _as_float(samples).mean(axis=0, dtype=np.float32)
    mono = AudioFrame.from_ndarray(mixed.reshape(1, -1), format="flt", layout="mono")
    mono.sample_rate = frame.sample_rate
    return mono


def _as_float(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Samples of any width as -1 to 1."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype.kind == "u":
        half = float(np.iinfo(samples.dtype).max // 2 + 1)
        return ((samples.astype(np.float64) - half) / half).astype(np.float32)
    return (samples / (float(np.iinfo(samples.dtype).max) + 1)).astype(np.float32)
