"""Which container a file is, by its first bytes only: names, types and headers that clients send are not believed.

Whatever could make a demuxer open something else (playlists, session descriptions, concat scripts) and whatever is
not media at all is refused here, before any decoder sees it. What passes is opened with exactly the format found.
"""

from typing import Final

from speech.audio.errors import MediaError
from speech.audio.lookalikes import ARCHIVE, binary_kind, folded_text, is_text, text_kind

HEAD_BYTES: Final = 64 << 10  # MPEG streams are recognised by their third packet; ID3 pictures are skipped by seeking
TS_PACKET_BYTES: Final = (188, 192, 204)

ACCEPTED = (
    "Send WAV, MP3, M4A/MP4, FLAC, Ogg (Opus or Vorbis), WebM/Matroska, AAC, AIFF, CAF, AU, AMR, WMA/ASF, AC-3, "
    "AVI, FLV or MPEG."
)

# format name as libavformat knows it, by magic bytes at an offset
MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (4, b"free", "mov"),
    (4, b"skip", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"wvpk", "wv"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
)
RIFF_FORMS: Final = {b"WAVE": "wav", b"AVI ": "avi"}
IFF_FORMS: Final = {b"AIFF": "aiff", b"AIFC": "aiff"}

ENCRYPTED: Final = (b"Salted__", b"age-encryption.org/", b"-----BEGIN PGP MESSAGE")
DRM_BRANDS: Final = (b"aax ", b"aaxc", b"M4P ")
PLAYLISTS: Final = (
    b"#extm3u",
    b"ffconcat",
    b"file '",
    b"[playlist]",
    b"v=0\r\n",
    b"v=0\n",
    b"<asx",
    b"<smil",
    b"<mpd",
    b"concat:",
    b"[reference]",
    b"rtsptext",
)


def container_of(head: bytes) -> str:
    """The libavformat name of the container that starts with `head`; raises MediaError when it is not media.

    >>> container_of(b"fLaC" + bytes(60))
    'flac'
    >>> container_of(b"#EXTM3U")
    Traceback (most recent call last):
        ...
    speech.audio.errors.MediaError: media_unsupported: This is a playlist, not audio. Send the audio file itself.
    """
    if not head:
        raise MediaError("media_empty", "The file has 0 bytes. Send it again and check that the upload was complete.")
    _refuse_what_is_not_media(head)
    found = _by_magic(head) or _by_frames(head)
    if found is not None:
        return found
    if kind := text_kind(head):
        raise _unsupported(f"This looks like {kind}, not audio. {ACCEPTED}")
    raise _unsupported("The file's first bytes match no known audio format. " + ACCEPTED)


def tag_bytes(head: bytes) -> int:
    """How many bytes an ID3v2 tag takes at the start of `head`, 0 without one.

    >>> tag_bytes(b"ID3" + bytes([4, 0, 0, 0, 0, 1, 0]))
    138
    """
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return 10 + size


def _refuse_what_is_not_media(head: bytes) -> None:
    text = folded_text(head)
    if text.startswith(PLAYLISTS) or (b"#extm3u" in text[:1024] and is_text(head)):
        raise _unsupported("This is a playlist, not audio. Send the audio file itself.")
    if head.startswith(ENCRYPTED) or _brand(head) in DRM_BRANDS:
        raise _unsupported("The file is encrypted or copy-protected. Send it decrypted.")
    if kind := binary_kind(head):
        advice = "Unpack it and send the recording inside." if ARCHIVE in kind else ACCEPTED
        raise _unsupported(f"This looks like {kind}, not audio. {advice}")


def _brand(head: bytes) -> bytes:
    return head[8:12] if head[4:8] == b"ftyp" else b""


def _by_magic(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return RIFF_FORMS.get(head[8:12])
    if head[:4] == b"FORM":
        return IFF_FORMS.get(head[8:12])
    if head[:2] == b"\x0b\x77" and len(head) > 5:
        return "eac3" if head[5] >> 3 > 10 else "ac3"
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    return None


def _by_frames(head: bytes) -> str | None:
    """Formats without magic bytes: MPEG transport streams, and MP3 or AAC frames after optional zero bytes."""
    if any(_is_transport_stream(head, packet_bytes=size) for size in TS_PACKET_BYTES):
        return "mpegts"
    frame = head.lstrip(b"\x00")[:4]
    if len(frame) == 4 and frame[0] == 0xFF:
        if frame[1] & 0xF6 == 0xF0 and frame[2] >> 2 & 0xF < 13:
            return "aac"
        if _is_mpeg_audio(frame):
            return "mp3"
    return None


def _is_transport_stream(head: bytes, *, packet_bytes: int) -> bool:
    first = 4 if packet_bytes == 192 else 0
    syncs = [head[first + index * packet_bytes : first + index * packet_bytes + 1] for index in range(3)]
    return syncs == [b"G", b"G", b"G"]


def _is_mpeg_audio(frame: bytes) -> bool:
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    bitrate, rate = frame[2] >> 4, frame[2] >> 2 & 3
    return frame[1] & 0xE0 == 0xE0 and version != 1 and layer != 0 and bitrate != 15 and rate != 3


def _unsupported(detail: str) -> MediaError:
    return MediaError("media_unsupported", detail)
