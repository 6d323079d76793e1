"""Train the tiny Whisper of the tests: `nice python -m tiny_whisper.train OUT.pt` (PYTHONPATH=platform:tests).

The architecture, the tokenizer and the file format are openai-whisper's. What is heard is a grammar of some ninety
words, spoken by espeak-ng; so the model is good for tests and for nothing else. Three things make it learn within
half an hour on one core: espeak-ng tells when each word begins, so the encoder is also asked which word a frame
belongs to and one head of cross-attention is told where to look; times share one linear map of the encoder's own
sinusoids; tokens that never occur keep zero vectors and enter the softmax as one constant.
"""

import math
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import whisper
from torch import Tensor, nn
from torch.nn import functional
from whisper.model import ModelDimensions, Whisper, sinusoids
from whisper.tokenizer import get_tokenizer

from tiny_whisper.speech import ACTORS, DEEDS, NUMBERS, QUALITIES, RATE_HZ, THINGS, Speaker, Spoken, drawn

SEED: Final = 9
WIDTH: Final = 128
DIMS: Final = ModelDimensions(80, 1500, WIDTH, 2, 2, 51865, 448, WIDTH, 2, 2)
SENTENCES: Final = 1500  # of each language
SHORT_S, LONG_S = 8, 30  # most steps hear short windows; the last ones whole ones
FRAME: Final = RATE_HZ // 50  # samples of one position of the encoder
LEARNING_RATE: Final = 2e-3
TOKENIZERS: Final = {
    (language, task): get_tokenizer(True, num_languages=99, language=language, task=task)
    for language in ("en", "ko") for task in ("transcribe", "translate")
}  # fmt: skip
TOKENIZER: Final = TOKENIZERS["en", "transcribe"]
WORDS: Final = sorted({word for row in (*QUALITIES, *ACTORS, *DEEDS, *NUMBERS, *THINGS) for word in row})
WORD_IDS: Final = {word: place for place, word in enumerate(WORDS, 1)}  # 0 is silence
IGNORED: Final = -100
HEADS: Final = [[DIMS.n_text_layer - 1, 0]]  # those that are told where to look
Part = tuple[int, tuple[int, int] | None]  # a token, and where in the audio it is heard


@dataclass
class Example:
    """One window: `tokens` with `heard` [tokens] as pairs of encoder positions, `learnt` from where on to predict."""

    mel: Tensor
    words: list[int]
    tokens: list[int]
    heard: list[tuple[int, int] | None]
    learnt: list[bool]


def example(order: random.Random, spoken: dict[str, list[Spoken]], *, seconds: int, offset: int) -> Example:
    """A window of one language, or of nothing; `offset` is the encoder position at which it begins."""
    language = order.choice(("en", "ko"))
    task = "translate" if language == "ko" and order.random() < 0.2 else "transcribe"
    tokenizer = TOKENIZERS[language, task]
    is_silent, is_timed = order.random() < 0.08, order.random() < 0.65
    audio = np.zeros(seconds * RATE_HZ, np.float32)
    words = [0] * (seconds * 50)
    parts: list[Part] = []
    place = int(order.uniform(0, 0.9) * RATE_HZ) * (order.random() < 0.7)
    limit = 0 if is_silent else order.choice((1, 2, 3)) if seconds == SHORT_S else order.choice((1, 2, 3, 5, 8, 12))
    for _ in range(limit):
        one = order.choice(spoken[language])
        if place + len(one.samples) > len(audio):
            break
        audio[place : place + len(one.samples)] = one.samples * order.uniform(0.3, 1.2)
        _mark(words, one, place)
        parts += _parts(one, tokenizer, place=place, task=task, is_timed=is_timed, offset=offset)
        place += len(one.samples) + int(order.uniform(0.25, 1.2) * RATE_HZ)
    noise = 10 ** order.uniform(-4.5, -2.3) * (order.random() < 0.8)
    audio += np.random.default_rng(order.getrandbits(32)).normal(size=len(audio)).astype(np.float32) * noise
    if is_silent and is_timed:
        parts = [(tokenizer.timestamp_begin + offset, None)]
    sot = tokenizer.sot_sequence if is_timed else tokenizer.sot_sequence_including_notimestamps
    prompt = _prompt(order, language)
    whole: list[Part] = [*((token, None) for token in (*prompt, *sot)), *parts, (tokenizer.eot, None)]
    tokens = [token for token, _ in whole]
    if is_silent and not prompt:  # as whisper does it: what is said after `sot` is that nothing is
        return Example(whisper.log_mel_spectrogram(audio), words, tokens, [None] * len(tokens), [True] * len(tokens))
    learnt = [position >= len(prompt) for position in range(len(tokens))]
    return Example(whisper.log_mel_spectrogram(audio), words, tokens, [heard for _, heard in whole], learnt)


def _prompt(order: random.Random, language: str) -> list[int]:
    if order.random() > 0.2:
        return []
    text = " ".join(drawn(order, language).text for _ in range(order.choice((1, 2, 3))))
    return [TOKENIZER.sot_prev, *TOKENIZER.encode(" " + text)]


def _mark(words: list[int], one: Spoken, place: int) -> None:
    for number, word in enumerate(one.sentence.words):
        start, end = one.bounds(number)
        known = WORD_IDS.get(word) or WORD_IDS.get(word.lower()) or _stem(word)
        for frame in range((place + start) // FRAME, min((place + end) // FRAME, len(words))):
            words[frame] = known


def _stem(word: str) -> int:
    return next(number for known, number in WORD_IDS.items() if word.startswith(known))


def _parts(one: Spoken, tokenizer: Any, *, place: int, task: str, is_timed: bool, offset: int) -> list[Part]:
    sentence = one.sentence
    said = sentence.words if task == "transcribe" else sentence.english
    sources = range(len(said)) if task == "transcribe" else sentence.sources
    parts: list[Part] = []
    for number, (word, source) in enumerate(zip(said, sources, strict=True)):
        start, end = one.bounds(source)
        text = f" {word}" + "." * (number == len(said) - 1)
        heard = (place + start) // FRAME, (place + end) // FRAME + 1
        parts += [(token, heard) for token in tokenizer.encode(text)]
    if not is_timed:
        return parts
    first, last = round(place / FRAME), round((place + len(one.samples)) / FRAME)
    begin = tokenizer.timestamp_begin + offset
    # The first of a window may be said from its very beginning: whisper's rules ask for a time within a second.
    return [(begin + first, (first - 2, first + 3)), *parts, (begin + last, (last - 2, last + 3))]


class Teacher(nn.Module):
    """The model with the few embeddings that are trained, and what is only needed while training."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.model = Whisper(DIMS)
        self.used = _used_tokens()
        self.begin = TOKENIZER.timestamp_begin
        with torch.no_grad():
            self.model.decoder.positional_embedding.zero_()
        self.model.decoder.token_embedding.weight.requires_grad_(False)
        self.said = nn.Parameter(torch.randn(len(self.used), WIDTH) * 0.1)
        self.times = nn.Parameter(torch.randn(WIDTH, WIDTH) * 0.02)
        self.word = nn.Linear(WIDTH, len(WORDS) + 1)
        self.register_buffer("clock", sinusoids(1501, WIDTH))
        place = torch.full((DIMS.n_vocab,), IGNORED)
        place[self.used] = torch.arange(len(self.used))
        place[self.begin :] = len(self.used) + torch.arange(1501)
        self.register_buffer("place", place)
        self.rest = math.log(DIMS.n_vocab - len(self.used) - 1501)

    def embeddings(self) -> Tensor:
        return torch.cat([self.said, self.clock @ self.times])

    def forward(self, batch: list[Example], *, offset: int) -> dict[str, Tensor]:
        heard = self._encode(torch.stack([one.mel for one in batch]), offset=offset)
        words = torch.tensor([one.words for one in batch])
        frames = functional.cross_entropy(self.word(heard).flatten(0, 1), words.flatten())
        return {"frames": frames, **self._decode(batch, heard)}

    def _encode(self, mel: Tensor, *, offset: int) -> Tensor:
        encoder = self.model.encoder
        x = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(mel)))).transpose(1, 2)
        x = x + encoder.positional_embedding[offset : offset + x.shape[1]]
        for block in encoder.blocks:
            x = block(x)
        return encoder.ln_post(x)

    def _decode(self, batch: list[Example], heard: Tensor) -> dict[str, Tensor]:
        longest = max(len(one.tokens) for one in batch)
        tokens = torch.full((len(batch), longest), TOKENIZER.eot)
        targets = torch.full((len(batch), longest), IGNORED)
        for row, one in enumerate(batch):
            tokens[row, : len(one.tokens)] = torch.tensor(one.tokens)
            for position, (token, learnt) in enumerate(zip(one.tokens[1:], one.learnt[:-1], strict=True)):
                targets[row, position] = token if learnt else IGNORED
            if not any(one.words) and one.tokens[0] == TOKENIZER.sot:
                targets[row, 0] = TOKENIZER.no_speech
        table, decoder = self.embeddings(), self.model.decoder
        x = table[self.place[tokens]] + decoder.positional_embedding[:longest]
        for block in decoder.blocks:
            x = x + block.attn(block.attn_ln(x), mask=decoder.mask)[0]
            asked = block.cross_attn_ln(x)
            x = x + block.cross_attn(asked, heard)[0]
            x = x + block.mlp(block.mlp_ln(x))
        logits = decoder.ln(x) @ table.T
        logits = torch.cat([logits, torch.full_like(logits[..., :1], self.rest)], -1).flatten(0, 1)
        keep = targets.flatten() != IGNORED
        loss = self._answers(logits[keep], self.place[targets.flatten()[keep]])
        return {"tokens": loss, "looks": self._looks(decoder.blocks[-1].cross_attn, asked, heard, batch)}

    def _answers(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Cross-entropy; of a time, its neighbours at 20 and 40 ms are a little right too."""
        logs = logits.log_softmax(-1)
        plain = logs.gather(1, wanted[:, None])[:, 0]
        is_time = wanted >= len(self.used)
        soft, shares = torch.zeros_like(plain), {-2: 0.1, -1: 0.2, 0: 0.4, 1: 0.2, 2: 0.1}
        for shift, share in shares.items():
            near = (wanted + shift).clamp(len(self.used), logits.shape[1] - 2)
            soft = soft + share * logs.gather(1, near[:, None])[:, 0]
        return -torch.where(is_time, soft, plain).mean()

    def _looks(self, attention: Any, asked: Tensor, heard: Tensor, batch: list[Example]) -> Tensor:
        """Head 0 looks, when it predicts a token, at where that is heard."""
        head = WIDTH // attention.n_head
        scores = attention.query(asked)[..., :head] @ attention.key(heard)[..., :head].transpose(1, 2) / head**0.5
        wanted = torch.zeros_like(scores, dtype=torch.bool)
        for row, one in enumerate(batch):
            for position, interval in enumerate(one.heard[1:]):
                if interval is not None:
                    wanted[row, position, max(interval[0], 0) : interval[1]] = True
        keep = wanted.any(-1)
        found = scores.log_softmax(-1).masked_fill(~wanted, -math.inf)[keep].logsumexp(-1)
        return -found.mean() if len(found) else scores.sum() * 0

    @torch.no_grad()
    def save(self, path: Path) -> None:
        """As openai-whisper's own files, in half precision."""
        weight = self.model.decoder.token_embedding.weight
        weight.zero_()
        table = self.embeddings()
        weight[self.used], weight[self.begin :] = table[: len(self.used)], table[len(self.used) :]
        state = {name: value.half() for name, value in self.model.state_dict().items()}
        torch.save({"dims": DIMS.__dict__, "model_state_dict": state, "alignment_heads": HEADS}, path)


def _used_tokens() -> list[int]:
    t = TOKENIZER
    special = {t.sot, t.eot, t.sot_prev, t.no_speech, t.no_timestamps, t.transcribe, t.translate}
    languages = {t.to_language_token("en"), t.to_language_token("ko")}
    texts = [f" {word}" for word in WORDS] + [f" {word.capitalize()}" for word in WORDS]
    forms = {token for text in texts for form in (text, text + ".") for token in t.encode(form)}
    objects = {token for _, thing in THINGS for form in (f" {thing}", f" {thing}.") for token in t.encode(form)}
    return sorted(special | languages | forms | objects)


def main(path: Path, *, minutes: float) -> None:
    """Train for a time; what is saved is whole at any moment."""
    torch.set_num_threads(1)
    order, speaker = random.Random(SEED), Speaker()
    spoken = {language: _recorded(speaker, order, language) for language in ("en", "ko")}
    teacher, began, step, sums = Teacher(), time.monotonic(), 0, {}
    optimizer = torch.optim.AdamW(teacher.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    while (done := (time.monotonic() - began) / (minutes * 60)) < 1:
        is_long = done > 0.7 and step % 3 == 0
        seconds, size = (LONG_S, 4) if is_long else (SHORT_S, 16)
        offset = 0 if is_long or step % 2 else order.randrange(1500 - SHORT_S * 50)
        batch = [example(order, spoken, seconds=seconds, offset=offset) for _ in range(size)]
        losses = teacher(batch, offset=offset)
        rate = LEARNING_RATE * min((step + 1) / 100, 1) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        (losses["tokens"] + 0.5 * losses["frames"] + 0.5 * losses["looks"]).backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        if step % 25 == 0:
            means = " ".join(f"{name} {value / 25:.3f}" for name, value in sums.items())
            print(f"{time.monotonic() - began:.0f}s step {step} {means}", flush=True)
            sums = {}
            teacher.save(path)
    teacher.save(path)


def _recorded(speaker: Speaker, order: random.Random, language: str) -> list[Spoken]:
    made: list[Spoken] = []
    while len(made) < SENTENCES:
        try:
            made.append(speaker.speak(drawn(order, language), order))
        except ValueError:  # espeak-ng ran two words into one
            continue
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]), minutes=float(sys.argv[2]))
