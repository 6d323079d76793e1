"""When each word is said: openai-whisper's alignment, for windows that are still in the decoder's slots.

whisper runs its encoder again for this, one segment at a time. Here the keys of the window are there already, and all
windows that end together are read once more together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from whisper.timing import WordTiming, dtw, median_filter, merge_punctuations

from speech.whisper.decoder import Decoder
from speech.whisper.windows import Timed

MEDIAN_WIDTH: Final = 7  # whisper's, as are the marks that go with the word before or behind
BEFORE, BEHIND = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 - full-width marks are meant
POSITIONS_PER_S: Final = 50
LONGEST_S: Final = 0.7  # twice the median word, which counts as no longer than this, is a long one


class Aligner:
    """Word times by the cross-attention of the model's alignment heads."""

    def __init__(self, model: Any, decoder: Decoder, *, tokenizer: Any) -> None:
        self._decoder, self._tokenizer = decoder, tokenizer
        self._heads = [(int(layer), int(head)) for layer, head in model.alignment_heads.indices().T]

    def words(
        self, texts: Sequence[list[int]], *, openings: Sequence[list[int]], slots: list[int], frames: Sequence[int]
    ) -> list[list[Timed]]:
        """The words of each window; `openings` are their sot sequences, `frames` [windows] positions with audio."""
        end = self._tokenizer.eot
        tokens = [
            [*opening, self._tokenizer.no_timestamps, *text, end] for opening, text in zip(openings, texts, strict=True)
        ]
        seen: dict[tuple[int, int], Tensor] = {}

        def look(layer: int, asked: Tensor, keys: Tensor) -> None:
            for of, head in self._heads:
                if of == layer:
                    scores = asked[:, head] @ keys[:, head].transpose(1, 2) / asked.shape[-1] ** 0.5
                    seen[layer, head] = scores.float()

        logits = self._decoder.read(tokens, slots=slots, looks=look)
        scores = torch.stack([seen[head] for head in self._heads], dim=1)  # [windows, heads, tokens, positions]
        return [
            self._of_one(text, opening=len(opening), logits=logits[row], scores=scores[row], frames=frames[row])
            for row, (text, opening) in enumerate(zip(texts, openings, strict=True))
        ]

    def _of_one(self, text: list[int], *, opening: int, logits: Tensor, scores: Tensor, frames: int) -> list[Timed]:
        length = opening + len(text) + 2
        weights = scores[:, :length, :frames].softmax(-1)
        deviation, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
        matrix = median_filter((weights - mean) / deviation, MEDIAN_WIDTH).mean(0)[opening:-1]
        rows, times = dtw(-matrix)
        starts = times[np.pad(np.diff(rows), (1, 0), constant_values=1).astype(bool)] / POSITIONS_PER_S
        sure = logits[opening : opening + len(text), : self._tokenizer.eot].softmax(-1)
        chances = sure[torch.arange(len(text)), text].tolist()
        return _timed(self._split(text), starts=starts, chances=chances)

    def _split(self, text: list[int]) -> list[tuple[str, list[int]]]:
        words, tokens = self._tokenizer.split_to_word_tokens([*text, self._tokenizer.eot])
        return list(zip(words[:-1], tokens[:-1], strict=True))


def _timed(parts: list[tuple[str, list[int]]], *, starts: Any, chances: list[float]) -> list[Timed]:
    ends = np.cumsum([len(tokens) for _, tokens in parts]).tolist()
    found = [
        WordTiming(text, tokens, float(starts[end - len(tokens)]), float(starts[end]),
                   float(np.mean(chances[end - len(tokens) : end])))
        for (text, tokens), end in zip(parts, ends, strict=True)
    ]  # fmt: skip
    _shorten(found)
    merge_punctuations(found, BEFORE, BEHIND)
    return [Timed(word.word, len(word.tokens), word.start, word.end, word.probability) for word in found if word.word]


def _shorten(found: list[WordTiming]) -> None:
    """A mark at a sentence's end is not as long as the pause behind it, nor the word that follows."""
    lengths = [word.end - word.start for word in found if word.end > word.start]
    longest = 2 * min(LONGEST_S, float(np.median(lengths)) if lengths else 0.0)
    for before, word in pairwise(found):
        if word.end - word.start > longest:
            if word.word in ".。!！?？":  # noqa: RUF001
                word.end = word.start + longest
            elif before.word in ".。!！?？":  # noqa: RUF001
                word.start = word.end - longest
