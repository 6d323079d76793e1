"""Sentences of a small grammar in English and Korean, spoken by espeak-ng: what the tiny Whisper was trained on."""

import random
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from speech.engines.espeak_library import EVENTS, UTF8_TEXT, Library

RATE_HZ: Final = 16_000
Samples = NDArray[np.float32]

# Every row is one meaning, so that a Korean sentence can be translated word by word.
QUALITIES: Final = [
    ("small", "작은"), ("big", "큰"), ("red", "빨간"), ("young", "젊은"), ("black", "검은"), ("white", "하얀"),
    ("happy", "행복한"), ("quiet", "조용한"),
]  # fmt: skip
ACTORS: Final = [
    ("dogs", "개가"), ("cats", "고양이가"), ("birds", "새가"), ("cows", "소가"), ("teachers", "선생님이"),
    ("cooks", "요리사가"), ("children", "아이들이"), ("friends", "친구가"), ("doctors", "의사가"), ("soldiers", "군인이"),
]  # fmt: skip
DEEDS: Final = [
    ("see", "봅니다"), ("find", "찾습니다"), ("buy", "삽니다"), ("carry", "옮깁니다"), ("paint", "그립니다"),
    ("want", "원합니다"), ("count", "셉니다"), ("hide", "숨깁니다"),
]  # fmt: skip
NUMBERS: Final = [
    ("two", "둘을"), ("three", "셋을"), ("ten", "열을"), ("five", "다섯을"), ("six", "여섯을"), ("seven", "일곱을"),
    ("eight", "여덟을"), ("nine", "아홉을"),
]  # fmt: skip
THINGS: Final = [
    ("apples", "사과"), ("boxes", "상자"), ("books", "책"), ("chairs", "의자"), ("flowers", "꽃"), ("letters", "편지"),
    ("bottles", "병"), ("stones", "돌"), ("houses", "집"), ("boats", "배"),
]  # fmt: skip
VOICES: Final = {
    "en": ("gmw/en-US", "gmw/en", "gmw/en-GB-scotland"),
    "ko": ("ko", "ko", "ko"),
}
VARIANTS: Final = ("", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4")


@dataclass(frozen=True)
class Sentence:
    """What is said, and the same in English; `sources` names for each English word the spoken word it stands for."""

    language: str
    words: tuple[str, ...]
    english: tuple[str, ...]
    sources: tuple[int, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words) + "."


@dataclass(frozen=True)
class Spoken:
    """A sentence as sound, trimmed; `starts` [words] in samples."""

    sentence: Sentence
    samples: Samples
    starts: tuple[int, ...]

    def bounds(self, place: int) -> tuple[int, int]:
        """From where to where a word is heard, in samples."""
        ends = (*self.starts[1:], len(self.samples))
        return self.starts[place], ends[place]


def drawn(order: random.Random, language: str) -> Sentence:
    """Somebody does something with some things."""
    quality, actor, deed = order.choice(QUALITIES), order.choice(ACTORS), order.choice(DEEDS)
    number, thing = order.choice(NUMBERS), order.choice(THINGS)
    # In the order of English; the last of a row is its place in a Korean sentence.
    parts = [(*quality, 0), (*actor, 1), (*deed, 4), (*number, 3), (*thing, 2)]
    if order.random() < 0.25:
        parts = parts[1:]
    said = sorted(parts, key=lambda part: part[2])
    english = [part[0] for part in parts]
    english[0] = english[0].capitalize()
    if language == "en":
        return Sentence("en", tuple(english), tuple(english), tuple(range(len(parts))))
    return Sentence("ko", tuple(part[1] for part in said), tuple(english), tuple(map(said.index, parts)))


class Speaker:
    """One espeak-ng; the library is global state, so there is one per process."""

    def __init__(self) -> None:
        self._library = Library()

    def speak(self, sentence: Sentence, order: random.Random) -> Spoken:
        """The sentence by a voice and at a pace drawn from `order`."""
        library, chunks, starts = self._library, [], []
        voice = order.choice(VOICES[sentence.language]) + order.choice(VARIANTS)
        library._must(library._c.espeak_SetVoiceByName(voice.encode()))
        library._must(library._c.espeak_SetParameter(1, order.randint(135, 185), 0))

        def on_event(event) -> None:
            if EVENTS.get(event.type) == "word":
                starts.append(event.sample)

        library._synthesize(sentence.text, write=chunks.append, flags=UTF8_TEXT, on_event=on_event)
        if len(starts) != len(sentence.words):
            raise ValueError(f"espeak-ng told of {len(starts)} words in {sentence.text!r}")
        samples = _resampled(np.frombuffer(b"".join(chunks), np.int16), library.sample_rate_hz)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        first, last = loud[0], loud[-1] + 1
        places = [max(start * RATE_HZ // library.sample_rate_hz - first, 0) for start in starts]
        return Spoken(sentence, samples[first:last], tuple(map(int, places)))


def _resampled(samples: NDArray[np.int16], rate_hz: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    tool = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    made = [part.to_ndarray()[0] for part in (*tool.resample(frame), *tool.resample(None))]
    return np.concatenate(made).astype(np.float32) / 32768
