"""Where the channels of a recording go when they are transcribed apart."""

from pathlib import Path
from typing import Final

MAX_SPLIT_CHANNELS: Final = 8  # as many as engines take, and as libswresample names


def channel_path(mix: Path, *, channel: int) -> Path:
    """The file of one channel (0, 1, ...), beside the file of the mix.

    >>> channel_path(Path("work/audio.pcm"), channel=1).name
    'audio.pcm.channel1'
    """
    return mix.with_name(f"{mix.name}.channel{channel}")


def channel_paths(mix: Path, *, channels: int = MAX_SPLIT_CHANNELS) -> tuple[Path, ...]:
    """The files of that many channels in their order; by default all there can be."""
    return tuple(channel_path(mix, channel=channel) for channel in range(channels))
