"""Parts of speech joined into one stream of samples, without a gap and without a click."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast

from speech.audio.encoding import AudioFormat, wav_header
from speech.models import SpeechRequest
from storage.facade import store

EDGE_MS: Final = 3  # faded in and out where two parts meet: a step in the wave would be heard as a click


def joined(keys: Sequence[str], *, rate_hz: int) -> Iterator[bytes]:
    """The samples of all parts in order, as many as the parts have together."""
    for key in keys:
        yield from eased(store().open_range(key), rate_hz=rate_hz)


def eased(chunks: Iterable[bytes], *, rate_hz: int) -> Iterator[bytes]:
    """One part as it comes, with its first and last milliseconds ramped, so that it begins and ends at rest.

    >>> array("h", b"".join(eased([array("h", [900] * 5).tobytes()] * 2, rate_hz=1_000))).tolist()
    [0, 300, 600, 900, 900, 900, 900, 600, 300, 0]
    """
    edge = rate_hz * EDGE_MS // 1000
    held, begun = b"", False
    for chunk in chunks:
        held += chunk
        if not begun and len(held) >= 2 * edge:
            held, begun = _ramped(held[: 2 * edge], rising=True) + held[2 * edge :], True
        ready = len(held) // 2 * 2 - 2 * edge
        if begun and ready > 0:
            yield held[:ready]
            held = held[ready:]
    yield _ramped(held, rising=False)


def _ramped(samples: bytes, *, rising: bool) -> bytes:
    values = array("h", samples[: len(samples) // 2 * 2])
    count = max(1, len(values))
    ramp = range(count) if rising else range(count - 1, -1, -1)
    return array("h", (value * place // count for value, place in zip(values, ramp, strict=False))).tobytes()


def format_of(request: SpeechRequest) -> AudioFormat:
    """The format that was asked for."""
    return cast(AudioFormat, request.format)


def set_wav_length(path: Path) -> None:
    """A finished file tells its length, for players that want to seek."""
    with path.open("r+b") as file:
        rate_hz = int.from_bytes(file.read(28)[24:28], "little")
        file.seek(0)
        file.write(wav_header(rate_hz=rate_hz, data_bytes=path.stat().st_size - 44))
