"""CUDA graphs: what a GPU did once for some shapes is replayed without launching its kernels one by one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

WARM_UPS = 2  # libraries choose kernels and allocate workspaces the first times; neither may happen in a capture


class Replayed:
    """Stands in for `work(key, *inputs)`, whose result may depend on the key and the inputs' values alone.

    Inputs have the same shapes whenever the key is the same. On a GPU the result is overwritten by the next call.
    Without one the work is simply done. Not run on a GPU yet: see docs/whisper-pool.md.
    """

    def __init__(self, work: Callable[..., Tensor]) -> None:
        self._work = work
        self._kept: dict[Hashable, tuple[Any, tuple[Tensor, ...], Tensor]] = {}

    def __call__(self, key: Hashable, *inputs: Tensor) -> Tensor:
        if not torch.cuda.is_available():
            return self._work(key, *inputs)
        if key not in self._kept:
            self._kept[key] = self._captured(key, inputs)
        graph, places, result = self._kept[key]
        for place, given in zip(places, inputs, strict=True):
            place.copy_(given)
        graph.replay()
        return result

    def _captured(self, key: Hashable, inputs: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...], Tensor]:
        places = tuple(given.clone() for given in inputs)
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                self._work(key, *places)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = self._work(key, *places)
        return graph, places, result
