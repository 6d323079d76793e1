"""Starting this process's Whisper pool. Only `workers.pool` does, and only then is torch imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from speech import pools
from speech.engines import whisper
from speech.engines.whisper_models import path_of

if TYPE_CHECKING:
    from speech.whisper.pool import WhisperPool

CPU_ROWS, GPU_ROWS = 8, 64
GPU_TOGETHER = 8  # windows that a GPU's encoder takes at a time


def models() -> tuple[str, ...]:
    """The models of this installation, the preferred first."""
    return tuple(name.removeprefix(whisper.PREFIX) for name in pools.whisper_engines())


def start(model: str) -> WhisperPool:
    """Load the weights and take callers; raises ImproperlyConfigured when there are none, or no torch."""
    path = path_of(settings.WHISPER_DIR, model)
    if not path.is_file():
        raise ImproperlyConfigured(f"{path} is missing. `parlance models pull {model}` brings it, or copy it there.")
    try:
        import torch

        from speech.whisper.half import halved
        from speech.whisper.int8 import quantize
        from speech.whisper.loading import load
        from speech.whisper.pool import WhisperPool
    except ImportError as error:
        detail = f"The Whisper pool needs {error.name}: install parlance-server[whisper]."
        raise ImproperlyConfigured(detail) from None
    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # one process for each core is faster than many threads for one model
    rows = settings.WHISPER_ROWS or (GPU_ROWS if torch.cuda.is_available() else CPU_ROWS)
    weights = load(path, name=model)
    if torch.cuda.is_available():
        pool = WhisperPool(halved(weights), rows=rows, together=GPU_TOGETHER)
    else:
        pool = WhisperPool(quantize(weights) if settings.WHISPER_PRECISION == "int8" else weights, rows=rows)
    pool.start()
    whisper.serve_with(model, pool)
    return pool
