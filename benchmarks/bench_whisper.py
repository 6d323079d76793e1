"""The Whisper pool against openai-whisper's `transcribe`: CPU time for the same windows and weights, one thread each.

Weights are random in the real dimensions of `tiny` and `base`: speed is real, texts are not. Every window gets the same
number of tokens in both. Needs the extra `whisper`; on a GPU the lines are printed for it too.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

from speech.whisper.batch import Batch
from speech.whisper.int8 import quantize
from speech.whisper.sound import mel
from speech.whisper.tokenizing import multilingual
from speech.whisper.windows import Window, Wish

GOAL = "4 x openai-whisper's transcribe at row-independent arithmetic (floor 3 x)"
DIMS = {
    "tiny": ModelDimensions(80, 1500, 384, 6, 4, 51865, 448, 384, 6, 4),
    "base": ModelDimensions(80, 1500, 512, 8, 6, 51865, 448, 512, 8, 6),
}
WINDOWS, ROWS, TOKENS = 8, 8, 100


def made(name: str) -> Any:
    """Random weights whose argmax is clear; the end never comes by itself."""
    torch.manual_seed(1)
    model = Whisper(DIMS[name]).eval()
    with torch.no_grad():
        model.decoder.token_embedding.weight.normal_(std=0.05)
        model.decoder.positional_embedding.normal_(std=0.3)
    return model


def cpu_s(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def transcribe(model: Any, sound: Any) -> None:
    """Each window after the other, without further tries."""
    result = whisper.transcribe(
        model, torch.from_numpy(sound.astype(np.float32) / 32768), language="en", temperature=0.0, fp16=False,
        without_timestamps=True, sample_len=TOKENS, condition_on_previous_text=False, no_speech_threshold=None,
        logprob_threshold=None, compression_ratio_threshold=None, suppress_tokens="-1,50257",
    )  # fmt: skip
    assert sum(len(part["tokens"]) for part in result["segments"]) >= WINDOWS * TOKENS * 0.9


@torch.no_grad()
def encoded(model: Any, samples: Any) -> Any:
    heard = mel(samples, bands=80, device=model.device)[None]
    return model.encoder(heard.to(model.encoder.conv1.weight.dtype))[0]


def pooled(model: Any, sound: Any) -> None:
    """The pool's way: encoded one by one, decoded in rows."""
    size = 480_000
    windows = (
        Window(
            str(place),
            encoded(model, sound[place * size : (place + 1) * size]),
            Wish("en", timestamps=False, temperatures=(0.0,), max_tokens=TOKENS),
        )
        for place in range(WINDOWS)
    )
    found = list(Batch(model, tokenizer=multilingual(), slots=ROWS).decode(windows))
    assert sum(len(one.tokens) for one in found) >= WINDOWS * TOKENS * 0.9


def main() -> int:
    """One line; exit code 1 below the floor."""
    torch.set_num_threads(1)
    sound = (np.random.default_rng(1).normal(size=WINDOWS * 480_000) * 3000).astype(np.int16)
    line: dict[str, Any] = {"bench": "whisper", "goal": GOAL, "torch": torch.__version__, "gpu": "no GPU here"}
    worst = float("inf")
    for name in DIMS:
        model = made(name)
        small = quantize(copy.deepcopy(model))
        audio_s = WINDOWS * 30
        theirs, exact, eight = (
            cpu_s(lambda: transcribe(model, sound)),  # noqa: B023 - called at once
            cpu_s(lambda: pooled(model, sound)),  # noqa: B023
            cpu_s(lambda: pooled(small, sound)),  # noqa: B023
        )
        worst = min(worst, theirs / eight)
        line[name] = {
            "rtfx_openai": round(audio_s / theirs, 1), "rtfx_float32": round(audio_s / exact, 1),
            "rtfx_int8": round(audio_s / eight, 1), "times_float32": round(theirs / exact, 2),
            "times_int8": round(theirs / eight, 2),
        }  # fmt: skip
    line["ok"] = worst >= 3
    sys.stdout.write(json.dumps(line) + "\n")
    return 0 if line["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
