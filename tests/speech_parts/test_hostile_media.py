"""Nothing that a file says makes the decoder open another file or a socket, and what is not media is refused."""

import ctypes
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from speech.audio.decode import open_container
from speech.audio.errors import MediaError
from speech.audio.media import Audio
from speech.audio.sniff import container_of

from .conftest import box, encode, wav_file

Decode = Callable[..., Audio]
IN_OPEN = 0x20


class Bait:
    """A file and a loopback port that hostile media point to, and whether anybody took the bait."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.file = wav_file(folder / "secret.wav")
        self._libc = ctypes.CDLL(None)
        self._inotify = self._libc.inotify_init1(os.O_NONBLOCK)
        self._libc.inotify_add_watch(self._inotify, str(self.file).encode(), IN_OPEN)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/secret.wav"

    def file_was_opened(self) -> bool:
        try:
            return bool(os.read(self._inotify, 4096))
        except BlockingIOError:
            return False

    def port_was_dialled(self) -> bool:
        try:
            self._server.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self._inotify)
        self._server.close()


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    bait = Bait(tmp_path / "bait")
    yield bait
    bait.close()


def _playlist(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()


def _concat(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\n".encode()


def _session_description() -> bytes:
    return b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"


def _refusal(decode: Decode, source: Path) -> MediaError:
    with pytest.raises(MediaError) as caught:
        decode(source)
    return caught.value


def test_the_bait_works(bait: Bait, tmp_path: Path) -> None:
    """Without our walls libavformat does open what a playlist names: the tests below could fail."""
    source = tmp_path / "list.m3u8"
    source.write_bytes(_concat(str(bait.file)))
    with av.open(str(source), format="concat", options={"safe": "0"}):
        assert bait.file_was_opened()


@pytest.mark.parametrize("make", [_playlist, _concat], ids=["playlist", "concat"])
@pytest.mark.parametrize("by", ["file", "url"])
def test_it_opens_nothing_that_a_playlist_names(
    make: Callable[[str], bytes], by: str, bait: Bait, decode: Decode, tmp_path: Path
) -> None:
    source = tmp_path / "audio.wav"
    source.write_bytes(make(str(bait.file) if by == "file" else bait.url))

    assert _refusal(decode, source).detail.startswith("This is a playlist")
    assert not bait.file_was_opened()
    assert not bait.port_was_dialled()


@pytest.mark.parametrize(("make", "name"), [(_playlist, "hls"), (_concat, "concat")], ids=["playlist", "concat"])
@pytest.mark.parametrize("by", ["file", "url"])
def test_even_past_the_sniffing_nothing_else_can_be_opened(
    make: Callable[[str], bytes], name: str, by: str, bait: Bait, tmp_path: Path
) -> None:
    source = tmp_path / "audio.m3u8"
    source.write_bytes(make(str(bait.file) if by == "file" else bait.url))

    with source.open("rb", buffering=0) as file, pytest.raises((MediaError, PermissionError)):
        open_container(file, container_name=name).close()

    assert not bait.file_was_opened()
    assert not bait.port_was_dialled()


def test_an_mp4_that_keeps_its_sound_in_another_file_gets_nothing(bait: Bait, decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.m4a", container="ipod", codec="aac")
    source.write_bytes(_with_external_data(source.read_bytes(), target=bait.file))
    with av.open(str(source), options={"enable_drefs": "1", "use_absolute_path": "1"}):
        assert bait.file_was_opened()  # the reference is real: without our walls it is followed

    assert _refusal(decode, source).code in ("media_damaged", "media_empty", "media_unsupported")
    assert not bait.file_was_opened()


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"#EXTM3U\nhttp://x/", "playlist"),
        (b"\xef\xbb\xbf\n  #extm3u\n", "playlist"),
        ("#EXTM3U\nhttp://x/".encode("utf-16"), "playlist"),
        (b"// comment\n#EXTM3U\nx", "playlist"),
        (b"ffconcat version 1.0\n", "playlist"),
        (_session_description(), "playlist"),
        (b"concat:/etc/passwd|/etc/hosts", "playlist"),
        (b"[playlist]\nFile1=http://x/", "playlist"),
        (b"<ASX version='3'>", "playlist"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "image"),
        (b"\xff\xd8\xff\xe0" + bytes(99), "image"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(99), "image"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image"),
        (b"%PDF-1.7\n", "document"),
        (b"PK\x03\x04" + bytes(99), "archive"),
        (b"\x1f\x8b\x08" + bytes(99), "archive"),
        (b"\x28\xb5\x2f\xfd" + bytes(99), "archive"),
        (b"Salted__" + bytes(99), "encrypted"),
        (b"\x00\x00\x00\x18ftypaax " + bytes(99), "encrypted"),
        (b"<!DOCTYPE html><html>", "text"),
        (b'{"audio": "base64"}', "text"),
        ("안녕하세요, 이것은 소리가 아닙니다.".encode(), "text"),
        (b"\x00" * 400, "no known audio format"),
        (os.urandom(3) + b"\x01\x02\x03" * 99, "no known audio format"),
    ],
)
def test_what_is_not_media_is_refused_by_what_it_is(head: bytes, word: str) -> None:
    with pytest.raises(MediaError) as caught:
        container_of(head)

    assert caught.value.code == "media_unsupported"
    assert word in caught.value.detail


def test_an_empty_file_is_refused(decode: Decode, tmp_path: Path) -> None:
    source = tmp_path / "empty.wav"
    source.touch()

    assert _refusal(decode, source).code == "media_empty"


@pytest.mark.parametrize("disguise", [b"PK\x03\x04", b"%PDF-1.7\n", b"#EXTM3U\n", b"GIF89a", b"<html>"])
def test_a_recording_hidden_behind_another_format_is_refused(disguise: bytes, decode: Decode, tmp_path: Path) -> None:
    source = wav_file(tmp_path / "a.wav")
    source.write_bytes(disguise + source.read_bytes())

    assert _refusal(decode, source).code == "media_unsupported"


@pytest.mark.parametrize("stowaway", [b"PK\x03\x04" + bytes(500), b"%PDF-1.7\n", b"#EXTM3U\nhttp://x/\n"])
def test_a_recording_with_something_behind_it_is_only_ever_the_recording(
    stowaway: bytes, decode: Decode, tmp_path: Path
) -> None:
    source = wav_file(tmp_path / "a.wav")
    source.write_bytes(source.read_bytes() + stowaway)

    audio = decode(source)

    assert audio.container == "wav"
    assert audio.duration_ms == 1000


def test_a_copy_protected_track_is_refused_as_that(decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.m4a", container="ipod", codec="aac")
    source.write_bytes(source.read_bytes().replace(b"mp4a", b"enca"))

    assert _refusal(decode, source).code in ("media_unsupported", "media_damaged")


def test_a_tag_in_front_does_not_hide_what_follows(decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.mp3", container="mp3", codec="libmp3lame", rate_hz=44_100)
    data = source.read_bytes()
    picture = b"ID3\x04\x00\x00\x00\x08\x00\x00" + bytes(8 << 14)  # a tag longer than what sniffing reads
    source.write_bytes(picture + data[data.index(b"\xff\xfb") :])
    assert decode(source).duration_ms > 1900

    source.write_bytes(picture + b"#EXTM3U\nfile:///etc/passwd\n")
    assert _refusal(decode, source).code in ("media_damaged", "media_empty")


def _with_external_data(data: bytes, *, target: Path) -> bytes:
    """An MP4 whose data reference is a Macintosh alias to another file."""
    volume = b"V"
    absolute = volume + str(target).replace("/", ":").encode()
    alias = bytes(10) + bytes([len(volume)]) + volume.ljust(27, b"\0") + bytes(12)
    alias += bytes([10]) + b"secret.wav".ljust(63, b"\0") + bytes(16) + struct.pack(">hh", -1, -1) + bytes(16)
    alias += struct.pack(">hH", 2, len(absolute)) + absolute + bytes(len(absolute) % 2) + struct.pack(">hH", -1, 0)
    entry = box(b"alis", bytes(4), alias)
    content = bytes(4) + struct.pack(">I", 1) + entry
    return _replaced(data, path=(b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), new=content)


def _replaced(data: bytes, *, path: tuple[bytes, ...], new: bytes) -> bytes:
    """`data` with the content of the box at `path` replaced; parents grow with it."""
    result, place = b"", 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + size]
        if kind == path[0]:
            content = new if len(path) == 1 else _replaced(content, path=path[1:], new=new)
        result += box(kind, content)
        place += size
    return result
