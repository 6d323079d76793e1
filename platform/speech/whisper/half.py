"""A model in half precision, as GPUs run it: sixteen bits everywhere but in layer norms, as openai-whisper computes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def halved(model: Any) -> Any:
    """The same model, changed."""
    model.to(torch.float16)
    single_norms(model)
    return model


def single_norms(module: Any) -> None:
    """openai-whisper's layer norm computes in single precision and needs its weights in it."""
    for child in module.modules():
        if isinstance(child, nn.LayerNorm):
            child.float()
