"""Opening a foreign file: exactly the format that its first bytes say, its first sound, and nothing else.

Runs only in the confined child process. The file is handed over as an open file object. libavformat may open nothing by
itself: no protocol is allowed, and a request to open anything else is refused.
"""

from typing import BinaryIO, Final, NoReturn

import av
from av.audio import AudioStream
from av.container import InputContainer
from av.stream import Discard

from speech.audio.errors import MediaError
from speech.audio.sniff import HEAD_BYTES, container_of, tag_bytes

READ_BYTES: Final = 256 << 10  # fewer calls back into Python for long files
PROBE_BYTES: Final = 4 << 20
PLAIN_PROBE_BYTES: Final = 2 << 10  # libavformat searches plain samples for hidden DTS: 1.6 ms CPU for 32 kB
DTS_PROBE_BYTES: Final = 32 << 10
DTS_SYNCS: Final = (b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8")
PLAIN_TAGS: Final = (b"\x01\x00", b"\xfe\xff")  # WAVE_FORMAT_PCM, WAVE_FORMAT_EXTENSIBLE
PLAIN_PACKET_BYTES: Final = (
    4 << 10
)  # twice the usual size of packets: each costs Python; larger ones are searched for DTS whole
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
CODEC_WHITELIST: Final = ",".join(sorted(AUDIO_CODECS))
# What PyAV raises for broken input, and what a seek to an absurd place raises in our file object.
UNREADABLE: Final = (av.FFmpegError, ValueError, OSError, OverflowError)
ENCRYPTED_TAGS: Final = frozenset({"enca", "drms", "drmi", "encv"})
TAGGED_CONTAINERS: Final = frozenset({"mp3", "aac", "flac", "ac3", "eac3"})


def sniff(source: BinaryIO) -> tuple[str, int]:
    """The container's name, and how many bytes libavformat needs to see of it; raises MediaError."""
    head = source.read(HEAD_BYTES)
    tag = tag_bytes(head)
    if tag:
        source.seek(tag)
        inner = _tagged_container(source.read(HEAD_BYTES))
        source.seek(0)
        return inner, PROBE_BYTES
    source.seek(0)
    container_name = container_of(head)
    return container_name, _probe_bytes(container_name, head=head)


def _probe_bytes(container_name: str, *, head: bytes) -> int:
    if container_name not in ("wav", "w64"):
        return PROBE_BYTES
    is_plain = head[12:16] == b"fmt " and head[20:22] in PLAIN_TAGS
    return (
        PLAIN_PROBE_BYTES
        if is_plain and not any(sync in head[:DTS_PROBE_BYTES] for sync in DTS_SYNCS)
        else DTS_PROBE_BYTES
    )


def _tagged_container(head: bytes) -> str:
    """An ID3 tag says MP3 unless the bytes behind it say another format that carries such tags."""
    try:
        found = container_of(head)
    except MediaError:
        return "mp3"
    return found if found in TAGGED_CONTAINERS else "mp3"


def open_container(source: BinaryIO, *, container_name: str, probe_bytes: int = PROBE_BYTES) -> InputContainer:
    """Open exactly this format from this file object and nothing else; raises MediaError."""
    packets = {"max_size": str(PLAIN_PACKET_BYTES)} if container_name == "wav" else {}
    try:
        return av.open(
            source,
            "r",
            format=container_name,
            container_options={
                "protocol_whitelist": "",
                "format_whitelist": container_name,
                "codec_whitelist": CODEC_WHITELIST,
                "probesize": str(probe_bytes),
                "analyzeduration": str(PROBE_MICROSECONDS),
                "max_streams": "64",
                **packets,
            },
            metadata_errors="ignore",
            buffer_size=READ_BYTES,
            io_open=_refuse_to_open,
        )
    except UNREADABLE:
        raise damaged() from None


def _refuse_to_open(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError("a media file may not name other files")


def audio_stream(container: InputContainer) -> AudioStream:
    """The first sound of the file, the only one that is read; raises MediaError."""
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


def damaged() -> MediaError:
    """What to say when the content does not fit the format."""
    return MediaError(
        "media_damaged",
        "The file is damaged or was cut off: its content does not fit its format. Upload it again completely, or "
        "export it anew.",
    )
