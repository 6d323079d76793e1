"""A model from a file, with its alignment heads, where it runs best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import whisper

from speech.engines.whisper_models import WEIGHTS


def load(path: Path, *, name: str) -> Any:
    """An openai-whisper model in evaluation, in single precision, on the GPU if there is one.

    openai-whisper gives a model that it loads from a path no alignment heads: here they are those that the file names
    (`alignment_heads`, pairs of layer and head), else those that openai-whisper knows by the model's `name`.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = whisper.load_model(str(path), device=device).eval()
    own = torch.load(path, map_location="cpu", mmap=True, weights_only=True).get("alignment_heads")
    if own is None:
        model.set_alignment_heads(whisper._ALIGNMENT_HEADS[WEIGHTS[name].heads or name])
    else:
        mask = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
        mask[tuple(torch.tensor(own).T)] = True
        model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    return model
