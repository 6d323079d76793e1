"""Whisper's text decoder over fixed slots: keys and values of each window are made once and stay where they are."""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from speech.whisper.replaying import Replayed

Looks = Callable[[int, Tensor, Tensor], None]

BUCKET: Final = 32  # self-attention reads this many positions more at a time


class Decoder:
    """Slots for windows; every call works on the weights of one openai-whisper model in its own precision."""

    def __init__(self, model: Any, *, slots: int) -> None:
        self._text, dims = model.decoder, model.dims
        self._heads, self._width = dims.n_text_head, dims.n_text_state
        self.slots, self.positions, self.vocabulary = slots, dims.n_text_ctx, dims.n_vocab
        shape = (dims.n_text_layer, slots, self._heads, -1, self._width // self._heads)
        like = self._text.token_embedding.weight
        self.device = like.device
        own = (*shape[:3], self.positions, shape[4])
        heard = (*shape[:3], dims.n_audio_ctx, shape[4])
        self._own_keys, self._own_values = like.new_zeros(own), like.new_zeros(own)
        kept = self._text.blocks[0].cross_attn.key.weight.dtype
        self._heard_keys, self._heard_values = like.new_zeros(heard, dtype=kept), like.new_zeros(heard, dtype=kept)
        self._place = [0] * slots  # the next position to write
        self._go_on = Replayed(self._read_on_all)

    @torch.no_grad()
    def listen(self, features: Tensor, *, slots: list[int]) -> None:
        """Keep what the encoder made of windows, [windows, positions, width]: once, whatever is read of it after.

        One by one: in half precision a sum's order, so its last bit, may depend on how many there are.
        """
        for window, slot in zip(features.to(self._heard_keys.dtype)[:, None], slots, strict=True):
            for layer, block in enumerate(self._text.blocks):
                self._heard_keys[layer, slot] = self._split(block.cross_attn.key(window))[0]
                self._heard_values[layer, slot] = self._split(block.cross_attn.value(window))[0]

    @torch.no_grad()
    def read(self, prompts: list[list[int]], *, slots: list[int], looks: Looks | None = None) -> Tensor:
        """Logits [windows, longest prompt, vocabulary] over the windows in these slots, whose text begins anew.

        Prompts are padded on the right: causality hides the pads here, and the mask of `step` until they are
        overwritten. For the same reason nothing of a slot's last window is ever seen. `looks` is given what each
        layer's cross-attention asked for, [windows, heads, longest prompt, head size], and its keys.
        """
        longest = max(map(len, prompts))
        tokens = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in prompts], device=self.device)
        x = self._text.token_embedding(tokens) + self._text.positional_embedding[:longest]
        for layer, block in enumerate(self._text.blocks):
            x = x + self._read(block, layer, block.attn_ln(x), slots=slots)
            asked, keys = block.cross_attn_ln(x), self._heard_keys[layer, slots].to(x.dtype)
            if looks is not None:
                looks(layer, self._split(block.cross_attn.query(asked)), keys)
            values = self._heard_values[layer, slots].to(x.dtype)
            x = x + self._attend(block.cross_attn, asked, keys=keys, values=values)
            x = x + block.mlp(block.mlp_ln(x))
        for slot, prompt in zip(slots, prompts, strict=True):
            self._place[slot] = len(prompt)
        return self._logits(x)

    def rewind(self, slot: int, *, length: int) -> None:
        """Take back all but the first `length` tokens of a slot's text: its prompt, for another try."""
        self._place[slot] = length

    @torch.no_grad()
    def step(self, tokens: Tensor, *, rows: list[int]) -> Tensor:
        """Logits [slots, vocabulary] after one more token each; `tokens` [slots], `rows` those that are in use.

        All slots are computed, so that a row meets the same shapes whoever shares the batch.
        """
        seen = min(-(-(max(self._place[row] for row in rows) + 1) // BUCKET) * BUCKET, self.positions)
        # A free slot may stand further on than any row in use.
        place = torch.tensor([min(place, seen - 1) for place in self._place], device=self.device)
        logits = self._go_on(seen, tokens, place)
        for row in rows:
            self._place[row] += 1
        return logits

    def _read_on_all(self, seen: int, tokens: Tensor, place: Tensor) -> Tensor:
        mask = (torch.arange(seen, device=self.device)[None] <= place[:, None])[:, None, None]
        x = (self._text.token_embedding(tokens) + self._text.positional_embedding[place])[:, None]
        for layer, block in enumerate(self._text.blocks):
            x = x + self._read_on(block, layer, block.attn_ln(x), place=place, mask=mask)
            x = x + self._hear_on(block, layer, block.cross_attn_ln(x))
            x = x + block.mlp(block.mlp_ln(x))
        return self._logits(x)[:, 0]

    def _read(self, block: Any, layer: int, x: Tensor, *, slots: list[int]) -> Tensor:
        attention, length = block.attn, x.shape[1]
        keys, values = self._split(attention.key(x)), self._split(attention.value(x))
        self._own_keys[layer, slots, :, :length], self._own_values[layer, slots, :, :length] = keys, values
        return self._attend(attention, x, keys=keys, values=values, causal=True)

    def _read_on(self, block: Any, layer: int, x: Tensor, *, place: Tensor, mask: Tensor) -> Tensor:
        attention, every, seen = block.attn, torch.arange(self.slots, device=self.device), mask.shape[-1]
        self._own_keys[layer, every, :, place] = self._split(attention.key(x))[:, :, 0]
        self._own_values[layer, every, :, place] = self._split(attention.value(x))[:, :, 0]
        keys, values = self._own_keys[layer, :, :, :seen], self._own_values[layer, :, :, :seen]
        return self._attend(attention, x, keys=keys, values=values, mask=mask)

    def _hear_on(self, block: Any, layer: int, x: Tensor) -> Tensor:
        keys, values = self._heard_keys[layer], self._heard_values[layer]
        if keys.dtype == x.dtype:
            return self._attend(block.cross_attn, x, keys=keys, values=values)
        # Reading keys is what costs here, and torch's fused attention is slow for one query in half precision.
        asked = self._split(block.cross_attn.query(x)) * keys.shape[-1] ** -0.5
        scores = asked.to(keys.dtype) @ keys.transpose(-1, -2)
        found = scores.float().softmax(-1).to(keys.dtype) @ values
        out: Tensor = block.cross_attn.out(found.to(x.dtype).transpose(1, 2).flatten(2))
        return out

    def _attend(
        self, attention: Any, x: Tensor, *, keys: Tensor, values: Tensor, mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:  # fmt: skip
        asked = self._split(attention.query(x))
        found = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=mask, is_causal=causal)
        out: Tensor = attention.out(found.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """[batch, length, width] as [batch, heads, length, head size]."""
        return x.unflatten(2, (self._heads, -1)).transpose(1, 2)

    def _logits(self, x: Tensor) -> Tensor:
        x, head = self._text.ln(x), getattr(self._text, "head", None)
        return (head(x) if head is not None else x @ self._text.token_embedding.weight.T).float()
