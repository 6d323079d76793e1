"""Continuous batching: a window that ends gives its slot to the next one at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from speech.whisper import fallback
from speech.whisper.decoder import Decoder
from speech.whisper.rules import Rules
from speech.whisper.windows import Decoded, Window
from speech.whisper.words import Aligner


@dataclass(slots=True)
class _Row:
    window: Window
    opening: list[int]  # the sot sequence
    prompt: list[int]  # all of what is read before the text, the opening included
    first: Tensor  # logits of the first token, for another try
    decoded: Decoded
    tries: int = 0

    @property
    def temperature(self) -> float:
        return self.window.wish.temperatures[self.tries]


class Batch:
    """Decodes windows of anybody side by side; they come out in the order in which they end."""

    def __init__(self, model: Any, *, tokenizer: Any, slots: int) -> None:
        self._decoder, self._tokenizer = Decoder(model, slots=slots), tokenizer
        self._aligner = Aligner(model, self._decoder, tokenizer=tokenizer)
        self._rules = Rules(tokenizer, slots=slots, vocabulary=self._decoder.vocabulary, device=self._decoder.device)
        self._next = torch.zeros(slots, dtype=torch.long, device=self._decoder.device)
        self._rows: dict[int, _Row] = {}
        self.picked = 0  # tokens, since the beginning

    @property
    def free(self) -> int:
        """How many windows may be admitted now."""
        return self._decoder.slots - len(self._rows)

    @property
    def windows(self) -> list[Window]:
        """Those in the slots."""
        return [row.window for row in self._rows.values()]

    def decode(self, windows: Iterable[Window]) -> Iterator[Decoded]:
        """Every window's result. No more windows are taken from the iterable than there are free slots."""
        waiting = iter(windows)
        while True:
            yield from self.admit(list(islice(waiting, self.free)))
            if not self._rows:
                return
            yield from self.step()

    def admit(self, windows: list[Window]) -> list[Decoded]:
        """Take windows in, at most `free`; those that are at their end already."""
        if not windows:
            return []
        slots = [slot for slot in range(self._decoder.slots) if slot not in self._rows][: len(windows)]
        self._decoder.listen(torch.stack([window.features for window in windows]), slots=slots)
        found = self._languages(windows, slots)
        openings = [self._opening(window, language) for window, (language, _) in zip(windows, found, strict=True)]
        prompts = [[*self._before(window), *opening] for window, opening in zip(windows, openings, strict=True)]
        logits = self._decoder.read(prompts, slots=slots)
        for place, slot in enumerate(slots):
            window, prompt, (language, sure) = windows[place], prompts[place], found[place]
            at_start = logits[place, prompt.index(self._tokenizer.sot)].softmax(-1)
            decoded = Decoded(window.key, language, sure, no_speech=at_start[self._tokenizer.no_speech].item())
            first = logits[place, len(prompt) - 1].clone()
            self._rows[slot] = _Row(window, openings[place], prompt, first, decoded)
        return self._begin(slots)

    def step(self) -> list[Decoded]:
        """One more token for every window; those that are at their end."""
        rows = sorted(self._rows)
        if not rows:
            return []
        logits = self._decoder.step(self._next, rows=rows)
        return self._pick(logits[rows], rows=rows)

    def _languages(self, windows: list[Window], slots: list[int]) -> list[tuple[str, float | None]]:
        """What was named, else what is spoken: from the first position alone, as whisper finds it."""
        unknown = [place for place, window in enumerate(windows) if window.wish.language is None]
        found: list[tuple[str, float | None]] = [(window.wish.language or "", None) for window in windows]
        if unknown:
            tokens, codes = self._tokenizer.all_language_tokens, self._tokenizer.all_language_codes
            logits = self._decoder.read([[self._tokenizer.sot]] * len(unknown), slots=[slots[at] for at in unknown])
            for place, row in zip(unknown, logits[:, 0][:, list(tokens)], strict=True):
                allowed = windows[place].wish.languages or codes
                barred = torch.tensor([code not in allowed for code in codes], device=row.device)
                sure, at = row.masked_fill(barred, -torch.inf).softmax(-1).max(-1)
                found[place] = codes[int(at)], float(sure)
        return found

    def _opening(self, window: Window, language: str) -> list[int]:
        task = self._tokenizer.translate if window.wish.task == "translate" else self._tokenizer.transcribe
        opening = [self._tokenizer.sot, self._tokenizer.to_language_token(language), task]
        return opening if window.wish.timestamps else [*opening, self._tokenizer.no_timestamps]

    def _before(self, window: Window) -> list[int]:
        kept = window.wish.prompt[-(self._decoder.positions // 2 - 1) :]
        return [self._tokenizer.sot_prev, *kept] if kept else []

    def _begin(self, slots: list[int]) -> list[Decoded]:
        for slot in slots:
            row = self._rows[slot]
            row.decoded.tokens, row.decoded.logprob, row.decoded.temperature = [], 0.0, row.temperature
            self._rules.reset(slot, timestamps=row.window.wish.timestamps)
            self._decoder.rewind(slot, length=len(row.prompt))
        return self._pick(torch.stack([self._rows[slot].first for slot in slots]), rows=slots)

    def _pick(self, logits: Tensor, *, rows: list[int]) -> list[Decoded]:
        places = torch.tensor(rows, device=logits.device)
        self._rules.apply(logits, places)
        picked = self._choose(logits, rows)
        gained = logits.log_softmax(-1)[torch.arange(len(rows)), picked].tolist()
        self._rules.push(places, picked)
        self._next[places] = picked
        self.picked += len(rows)
        return self._settle([row for row, token, gain in zip(rows, picked.tolist(), gained, strict=True)
                             if self._take(self._rows[row], token, gain)])  # fmt: skip

    def _choose(self, logits: Tensor, rows: list[int]) -> Tensor:
        picked = logits.argmax(-1)
        for place, slot in enumerate(rows):
            row = self._rows[slot]
            if row.temperature > 0:
                told = f"{row.window.key} {row.temperature} {len(row.decoded.tokens)}"
                chance = torch.Generator().manual_seed(zlib.crc32(told.encode()))  # nobody else's draws count
                shares = (logits[place].cpu() / row.temperature).softmax(-1)
                picked[place] = torch.multinomial(shares, 1, generator=chance)[0]
        return picked

    def _take(self, row: _Row, token: int, gained: float) -> bool:
        """Give a row its token; whether that was the last one."""
        decoded, wish = row.decoded, row.window.wish
        decoded.logprob += gained
        if token == self._tokenizer.eot:
            return True
        decoded.tokens.append(token)
        room = self._decoder.positions + 1 - len(row.prompt)  # whisper stops once it is past the positions
        has_more_tries = len(wish.temperatures) > 1
        return len(decoded.tokens) >= min(wish.max_tokens, room) or (
            has_more_tries and fallback.is_looping(decoded.tokens)
        )

    def _settle(self, slots: list[int]) -> list[Decoded]:
        """Texts that are good enough, or past their last try, leave; the others begin again in their slots."""
        again = [slot for slot in slots if self._is_poor(self._rows[slot])]
        for slot in again:
            self._rows[slot].tries += 1
        done = [slot for slot in slots if slot not in again]
        self._add_words(done)
        ended = [self._rows.pop(slot).decoded for slot in done]
        return ended + (self._begin(again) if again else [])

    def _is_poor(self, row: _Row) -> bool:
        if row.tries + 1 >= len(row.window.wish.temperatures):
            return False
        text = self._tokenizer.decode(row.decoded.tokens).strip()
        decoded = row.decoded
        return fallback.needs_another_try(text, no_speech=decoded.no_speech, avg_logprob=decoded.avg_logprob)

    def _add_words(self, slots: list[int]) -> None:
        texts = {slot: [token for token in self._rows[slot].decoded.tokens if token < self._tokenizer.eot]
                 for slot in slots if self._rows[slot].window.wish.words}  # fmt: skip
        asked = [slot for slot, text in texts.items() if text]
        if not asked:
            return
        rows = [self._rows[slot] for slot in asked]
        found = self._aligner.words(
            [texts[slot] for slot in asked], openings=[row.opening[:3] for row in rows], slots=asked,
            frames=[row.window.frames for row in rows],
        )  # fmt: skip
        for row, words in zip(rows, found, strict=True):
            row.decoded.words = words
