"""Decoding with PyAV. Runs only in the confined child process: import it nowhere else.

The file is handed over as an open file object with the format that our own sniffing found. libavformat may open
nothing by itself: no protocol is allowed, and a request to open anything else is refused.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import av
from av.audio import AudioFrame, AudioStream
from av.container import InputContainer
from av.stream import Discard

from speech.audio.converting import Bounds, Converter
from speech.audio.errors import MediaCode, MediaError
from speech.audio.levels import PcmWriter, open_writer
from speech.audio.sniff import HEAD_BYTES, container_of, tag_bytes
from speech.audio.splitting import Splitter

READ_BYTES: Final = 256 << 10  # fewer calls back into Python for long files
PROBE_BYTES: Final = 4 << 20
PROBE_BYTES_OF: Final = {"wav": 32 << 10, "w64": 32 << 10}  # more only looks longer for DTS in plain samples: 16 ms
PROBE_MICROSECONDS: Final = 2_000_000

CODEC_NAMES: Final = """
    aac aac_latm ac3 eac3 alac amrnb amrwb libopencore_amrnb libopencore_amrwb flac g722 g723_1 g726 g726le g729
    gsm gsm_ms ilbc mp1 mp1float mp2 mp2float mp3 mp3float nellymoser opus libopus speex truespeech vorbis wavpack
    wmav1 wmav2 wmapro wmalossless wmavoice dca adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf adpcm_yamaha
    pcm_alaw pcm_mulaw pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be
    pcm_s32le pcm_s64le pcm_s8 pcm_u8 pcm_u16be pcm_u16le pcm_u24be pcm_u24le pcm_u32be pcm_u32le pcm_bluray
    pcm_dvd
"""
AUDIO_CODECS: Final = frozenset(CODEC_NAMES.split())
# What PyAV raises for broken input, and what a seek to an absurd place raises in our file object.
UNREADABLE: Final = (av.FFmpegError, ValueError, OSError, OverflowError)
ENCRYPTED_TAGS: Final = frozenset({"enca", "drms", "drmi", "encv"})
TAGGED_CONTAINERS: Final = frozenset({"mp3", "aac", "flac", "ac3", "eac3"})


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
        container_name = _sniff(source)
        container = files.enter_context(open_container(source, container_name=container_name))
        facts = _decode_stream(_audio_stream(container), container=container, converter=converter, writer=writer)
    return {
        "duration_ms": writer.duration_ms,
        "container": container_name,
        "peak_dbfs": writer.peak_dbfs,
        "silence": writer.is_silent,
        "channels_apart": splitter.channels if splitter else 0,
        **facts,
    }


def _sniff(source: BinaryIO) -> str:
    head = source.read(HEAD_BYTES)
    tag = tag_bytes(head)
    if tag:
        source.seek(tag)
        inner = _tagged_container(source.read(HEAD_BYTES))
        source.seek(0)
        return inner
    source.seek(0)
    return container_of(head)


def _tagged_container(head: bytes) -> str:
    """An ID3 tag says MP3 unless the bytes behind it say another format that carries such tags."""
    try:
        found = container_of(head)
    except MediaError:
        return "mp3"
    return found if found in TAGGED_CONTAINERS else "mp3"


def open_container(source: BinaryIO, *, container_name: str) -> InputContainer:
    """Open exactly this format from this file object and nothing else; raises MediaError."""
    try:
        return av.open(
            source,
            "r",
            format=container_name,
            container_options={
                "protocol_whitelist": "",
                "format_whitelist": container_name,
                "codec_whitelist": ",".join(sorted(AUDIO_CODECS)),
                "probesize": str(PROBE_BYTES_OF.get(container_name, PROBE_BYTES)),
                "analyzeduration": str(PROBE_MICROSECONDS),
                "max_streams": "64",
            },
            metadata_errors="ignore",
            buffer_size=READ_BYTES,
            io_open=_refuse_to_open,
        )
    except UNREADABLE:
        raise _damaged() from None


def _refuse_to_open(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError("a media file may not name other files")


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise MediaError(
            "media_no_audio", "The file has no audio track. Send a file with sound, or export the sound as audio."
        )
    stream = container.streams.audio[0]
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    codec = stream.codec_context
    if codec is None or codec.name not in AUDIO_CODECS:
        raise MediaError(
            "media_unsupported", "The audio track's codec is not supported. Convert it to FLAC, MP3, AAC or Opus."
        )
    if _tag(stream) in ENCRYPTED_TAGS:
        raise MediaError("media_unsupported", "The audio track is copy-protected. Send it decrypted.")
    codec.thread_count = 1
    return stream


def _tag(stream: AudioStream) -> str:
    try:
        return stream.codec_context.codec_tag.lower()
    except ValueError:  # bytes that are no text
        return ""


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
        raise _damaged()
    if writer.size_bytes == 0:
        code: MediaCode = "media_damaged" if health.bad_packets or health.cut_short else "media_empty"
        raise (
            _damaged()
            if code == "media_damaged"
            else MediaError(code, "The audio track holds no sound. Check the recording and send it again.")
        )


def _damaged() -> MediaError:
    return MediaError(
        "media_damaged",
        "The file is damaged or was cut off: its content does not fit its format. Upload it again completely, or "
        "export it anew.",
    )
