"""What the model hears: from samples of windows to features."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from speech.whisper import sound
from speech.whisper.replaying import Replayed


class Encoder:
    """Takes `together` windows at a time: one on a CPU, where more gain nothing, several on a GPU.

    Always exactly so many, filled up with silence: a matrix of another shape may be summed in another order, and then
    a window's last bits would depend on how many others came with it.
    """

    def __init__(self, model: Any, *, together: int = 1) -> None:
        self._encoder, self._bands, self.together = model.encoder, model.dims.n_mels, together
        weight = model.encoder.conv1.weight
        self._device, self._dtype = weight.device, weight.dtype
        self._hear = Replayed(self._work)

    @torch.no_grad()
    def hear(self, windows: Sequence[sound.Samples]) -> list[Tensor]:
        """Features [positions, width] of each window."""
        mels = [sound.mel(samples, bands=self._bands, device=self._device).to(self._dtype) for samples in windows]
        found: list[Tensor] = []
        for first in range(0, len(mels), self.together):
            group = mels[first : first + self.together]
            full = torch.stack([*group, *[torch.zeros_like(group[0])] * (self.together - len(group))])
            found += self._hear("encoder", full)[: len(group)].clone()
        return found

    def _work(self, _: Hashable, mels: Tensor) -> Tensor:
        features: Tensor = self._encoder(mels)
        return features
