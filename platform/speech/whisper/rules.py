"""Which tokens may come next: openai-whisper's suppression and timestamp rules for all rows at once."""

from typing import Any, Final

import torch
from torch import Tensor

NEVER: Final = -torch.inf
LAST_FIRST_TIMESTAMP: Final = 50  # 1.0 s in steps of 20 ms: whisper's `max_initial_timestamp`


class Rules:
    """The state of the rules per slot, as tensors of shape [slots]."""

    def __init__(self, tokenizer: Any, *, slots: int, vocabulary: int, device: torch.device) -> None:
        self._eot, self._begin = tokenizer.eot, tokenizer.timestamp_begin
        self._no_timestamps = tokenizer.no_timestamps
        with device:
            self._always = torch.zeros(vocabulary)
            self._always[_suppressed(tokenizer)] = NEVER
            self._blank, self._outside = (torch.zeros(vocabulary, dtype=torch.bool) for _ in range(2))
            self._blank[[*tokenizer.encode(" "), tokenizer.eot]] = True
            self._outside[: self._begin] = True  # of what a window with times may open with
            self._outside[self._begin + LAST_FIRST_TIMESTAMP + 1 :] = True
            self._steps = torch.arange(vocabulary - self._begin)
            self._count = torch.zeros(slots, dtype=torch.long)
            self._timed, self._last, self._before = (torch.zeros(slots, dtype=torch.bool) for _ in range(3))
            self._limit = torch.full((slots,), -1)  # the last timestamp, counted from <|0.00|>; -1 before the first
        self._opens = False  # somebody's first token comes next: known here without asking the device

    def reset(self, slot: int, *, timestamps: bool) -> None:
        """Begin a new window in a slot."""
        self._opens = True
        self._count[slot], self._limit[slot] = 0, -1
        self._timed[slot], self._last[slot], self._before[slot] = timestamps, False, False

    def apply(self, logits: Tensor, rows: Tensor) -> None:
        """Mask `logits` [rows, vocabulary] in place."""
        is_first, timed = self._count[rows] == 0, self._timed[rows]
        logits += self._always
        logits[:, self._no_timestamps].masked_fill_(timed, NEVER)
        self._keep_pairs(logits, rows, timed=timed)
        if self._opens:
            logits.masked_fill_(is_first[:, None] & self._blank, NEVER)
            logits.masked_fill_((is_first & timed)[:, None] & self._outside, NEVER)
        text, times = logits[:, : self._begin], logits[:, self._begin :]
        # The softmax's normaliser is the same on both sides, so the logits may be compared as they are.
        text.masked_fill_((timed & (times.logsumexp(-1) > text.max(-1).values))[:, None], NEVER)

    def _keep_pairs(self, logits: Tensor, rows: Tensor, *, timed: Tensor) -> None:
        """Timestamps come in pairs, never go back, and leave no segment empty."""
        last = self._last[rows] & timed
        closes = last & ~(self._before[rows] | (self._count[rows] < 2))
        times = logits[:, self._begin :]
        times.masked_fill_((last & ~closes)[:, None], NEVER)
        logits[:, : self._eot].masked_fill_(closes[:, None], NEVER)
        limit = torch.where(closes, self._limit[rows] - 1, self._limit[rows])
        times.masked_fill_(timed[:, None] & (self._steps[None] <= limit[:, None]), NEVER)

    def push(self, rows: Tensor, tokens: Tensor) -> None:
        """Take in the token that was picked for each row."""
        self._opens = False
        is_time = tokens >= self._begin
        self._before[rows], self._last[rows] = self._last[rows], is_time
        self._limit[rows] = torch.where(is_time, tokens - self._begin, self._limit[rows])
        self._count[rows] += 1


def _suppressed(tokenizer: Any) -> list[int]:
    special = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
    return [*tokenizer.non_speech_tokens, *special, tokenizer.no_speech]
