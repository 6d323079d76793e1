"""The trained tiny Whisper as tests use it, and recordings of its grammar."""

import random
import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np

from tiny_whisper.speech import RATE_HZ, Samples, Speaker, drawn

WEIGHTS = Path(__file__).parent / "espeak-grammar.pt"


def lay_weights(folder: Path) -> Path:
    """A folder of weights in which it passes for `tiny`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(WEIGHTS, folder / "tiny.pt")
    return folder


@lru_cache(maxsize=1)
def _speaker() -> Speaker:
    return Speaker()


def recording(language: str, *, sentences: int, seed: int) -> tuple[list[str], Samples]:
    """So many sentences nobody was trained on together, with pauses; samples from -1 to 1."""
    order, texts, parts = random.Random(seed), [], [_pause(0.3)]
    while len(texts) < sentences:
        try:
            spoken = _speaker().speak(drawn(order, language), order)
        except ValueError:  # espeak-ng ran two words into one
            continue
        texts.append(spoken.sentence.text)
        parts += [spoken.samples, _pause(order.uniform(0.4, 1.0))]
    return texts, np.concatenate(parts)


def pcm(samples: Samples) -> bytes:
    """As 16-bit samples."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def wav(samples: Samples) -> bytes:
    """As a file."""
    data = pcm(samples)
    head = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = [(1, 2), (1, 2), (RATE_HZ, 4), (2 * RATE_HZ, 4), (2, 2), (16, 2)]
    fields = b"".join(value.to_bytes(size, "little") for value, size in form)
    return head + fields + b"data" + len(data).to_bytes(4, "little") + data


def errors(told: str, heard: str) -> int:
    """Words that would have to be changed: the distance of Levenshtein."""
    was, now = told.split(), heard.split()
    row = list(range(len(now) + 1))
    for place, word in enumerate(was, 1):
        above, row[0] = row[:], place
        for at, found in enumerate(now, 1):
            row[at] = min(above[at] + 1, row[at - 1] + 1, above[at - 1] + (word != found))
    return row[-1]


def _pause(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)
