"""Decoding with PyAV. Runs only in the confined child process: import it nowhere else."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.audio import AudioFrame, AudioStream
from av.container import InputContainer

from speech.audio.converting import Bounds, Converter
from speech.audio.errors import MediaCode, MediaError
from speech.audio.levels import PcmWriter, open_writer
from speech.audio.opening import UNREADABLE, audio_stream, damaged, open_container, sniff
from speech.audio.splitting import Splitter


@dataclass(slots=True)
class _Health:
    """How much of the file could be read."""

    good_packets: int = 0
    bad_packets: int = 0
    cut_short: bool = False


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """One decoding job; what is wrong with the media is an answer, not an exception."""
    try:
        return {"audio": _decode(request)}
    except MediaError as error:
        return {"error": [error.code, error.detail]}


def _decode(request: dict[str, Any]) -> dict[str, Any]:
    bounds = Bounds(**request["limits"])
    pcm_out, levels_out = Path(request["pcm_out"]), Path(request["levels_out"])
    with ExitStack() as files:
        writer = open_writer(pcm_out, levels_out=levels_out, files=files)
        splitter = Splitter(pcm_out, levels_out=levels_out, files=files) if request["split_channels"] else None
        converter = Converter(writer, bounds=bounds, splitter=splitter)
        source = files.enter_context(Path(request["source"]).open("rb", buffering=0))
        container_name, probe_bytes = sniff(source)
        container = files.enter_context(open_container(source, container_name=container_name, probe_bytes=probe_bytes))
        facts = _decode_stream(audio_stream(container), container=container, converter=converter, writer=writer)
    return {
        "duration_ms": writer.duration_ms,
        "container": container_name,
        "peak_dbfs": writer.peak_dbfs,
        "silence": writer.is_silent,
        "channels_apart": splitter.channels if splitter else 0,
        **facts,
    }


def _decode_stream(
    stream: AudioStream, *, container: InputContainer, converter: Converter, writer: PcmWriter
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    health = _Health()
    for frame in _frames(stream, container=container, health=health):
        try:
            converter.take(frame)
        except (av.FFmpegError, ValueError):
            health.bad_packets += 1
            continue
        facts = facts or _facts(frame, stream=stream)
    converter.finish()
    _check_result(writer, health=health)
    return facts | {"damaged": health.cut_short or health.bad_packets > 0}


def _facts(frame: AudioFrame, *, stream: AudioStream) -> dict[str, Any]:
    return {
        "channels": frame.layout.nb_channels,
        "sample_rate_hz": frame.sample_rate,
        "codec": stream.codec_context.codec.canonical_name,
    }


def _frames(stream: AudioStream, *, container: InputContainer, health: _Health) -> Iterator[AudioFrame]:
    """Frames in order; unreadable packets are counted and skipped, an unreadable rest ends the file."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):  # PyAV stumbles at the very end over a stream that appeared late
            return
        except UNREADABLE:
            health.cut_short = True
            return
        try:
            frames = packet.decode()
        except av.EOFError:
            continue
        except UNREADABLE:
            health.bad_packets += 1
            continue
        health.good_packets += 1
        yield from (frame for frame in frames if isinstance(frame, AudioFrame))


def _check_result(writer: PcmWriter, *, health: _Health) -> None:
    if health.bad_packets > health.good_packets:
        raise damaged()
    if writer.size_bytes == 0:
        code: MediaCode = "media_damaged" if health.bad_packets or health.cut_short else "media_empty"
        raise (
            damaged()
            if code == "media_damaged"
            else MediaError(code, "The audio track holds no sound. Check the recording and send it again.")
        )
