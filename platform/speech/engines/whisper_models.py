"""Whisper's weights as data: which there are, where they come from, and which lie in a folder. No torch here.

Checksums and addresses are those that openai-whisper 20250625 publishes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ORIGIN: Final = "https://openaipublic.azureedge.net"


@dataclass(frozen=True, slots=True)
class Weights:
    """One model. `megabytes` of its file; `rtfx` audio seconds per second of one CPU core, an estimate for shares of
    work; `heads` openai-whisper's name of its alignment heads."""

    name: str
    sha256: str
    megabytes: int
    rtfx: float
    heads: str = ""

    @property
    def url(self) -> str:
        return f"{ORIGIN}/main/whisper/models/{self.sha256}/{self.heads or self.name}.pt"


# The best first: that is the order of preference where several lie in the folder.
WEIGHTS: Final = {
    weights.name: weights
    for weights in (
        Weights("large-v3", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", 3087, 0.6),
        Weights("large-v2", "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524", 3087, 0.6),
        Weights(
            "turbo",
            "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
            1618,
            0.8,
            heads="large-v3-turbo",
        ),
        Weights("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1528, 1.2),
        Weights("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 484, 4.0),
        Weights("base", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e", 145, 12.0),
        Weights("tiny", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9", 76, 20.0),
    )
}


def path_of(folder: Path, name: str) -> Path:
    """Where a model's file lies, under its own or under openai-whisper's name; or where it would."""
    other = folder / f"{WEIGHTS[name].heads or name}.pt"
    return other if other.is_file() else folder / f"{name}.pt"


def present(folder: Path) -> tuple[str, ...]:
    """The models whose files lie in a folder, the best first."""
    return tuple(name for name in WEIGHTS if path_of(folder, name).is_file())
