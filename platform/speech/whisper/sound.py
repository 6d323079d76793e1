"""From samples to windows of at most thirty seconds, and from a window to what the encoder reads."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from whisper.audio import log_mel_spectrogram, pad_or_trim

from speech.audio.cuts import Span, plan_segments
from speech.audio.levels import levels_of
from speech.audio.pcm import SAMPLE_RATE_HZ

WINDOW_MS, TARGET_MS = 30_000, 25_000
POSITION_MS: Final = 20
Samples = npt.NDArray[np.int16]


def spans(samples: Samples) -> tuple[Span, ...]:
    """Windows cut where it is quiet; those without a sound are left out."""
    length_ms = len(samples) * 1000 // SAMPLE_RATE_HZ
    found = plan_segments(levels_of(samples), duration_ms=length_ms, target_ms=TARGET_MS, max_ms=WINDOW_MS)
    return tuple(span for span in found if not span.silent)


def stretch(samples: Samples, span: Span) -> Samples:
    """A window's own samples."""
    per_ms = SAMPLE_RATE_HZ // 1000
    return samples[span.start_ms * per_ms : span.end_ms * per_ms]


def mel(samples: Samples, *, bands: int, device: torch.device) -> Any:
    """The log-mel spectrogram [bands, 3000] of a window, padded with silence."""
    sound = torch.from_numpy(samples.astype(np.float32) / 32768)
    return log_mel_spectrogram(pad_or_trim(sound), bands, device=device)
