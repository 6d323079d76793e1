"""Parts of speech joined into one stream of samples, without a gap and without a click."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, cast

from speech.audio.encoding import AudioFormat, wav_header
from speech.models import SpeechRequest
from storage.facade import store

EDGE_MS: Final = 3  # faded in and out where two parts meet: a step in the wave would be heard as a click


def joined(keys: Sequence[str], *, rate_hz: int) -> Iterator[bytes]:
    """The samples of all parts in order, as many as the parts have together."""
    for key in keys:
        yield from faded(_whole(key), edge_samples=rate_hz * EDGE_MS // 1000)


def faded(samples: bytes, *, edge_samples: int) -> Iterator[bytes]:
    """One part with its first and last milliseconds ramped, so that it begins and ends at rest.

    >>> array("h", b"".join(faded(array("h", [900] * 6).tobytes(), edge_samples=3))).tolist()
    [0, 300, 600, 600, 300, 0]
    """
    edge = min(edge_samples, len(samples) // 4) * 2
    head, tail = array("h", samples[:edge]), array("h", samples[len(samples) - edge :])
    count = max(1, len(head))
    yield array("h", (value * place // count for place, value in enumerate(head))).tobytes()
    yield samples[edge : len(samples) - edge]
    yield array("h", (value * (count - 1 - place) // count for place, value in enumerate(tail))).tobytes()


def format_of(request: SpeechRequest) -> AudioFormat:
    """The format that was asked for."""
    return cast(AudioFormat, request.format)


def set_wav_length(path: Path) -> None:
    """A finished file tells its length, for players that want to seek."""
    with path.open("r+b") as file:
        rate_hz = int.from_bytes(file.read(28)[24:28], "little")
        file.seek(0)
        file.write(wav_header(rate_hz=rate_hz, data_bytes=path.stat().st_size - 44))


def _whole(key: str) -> bytes:
    """One part's samples: at most some seconds of an engine's work, so a few megabytes."""
    size = store().stat(key)
    return b"".join(store().open_range(key, start=0, end=size.size_bytes if size else 0))
