"""What an upload's first bytes tell at accepting: never stricter than the decoder, and without its libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.audio.errors import MediaError
from speech.audio.heads import HEAD_BYTES, check_head
from speech.audio.sniff import MAGIC, container_of, tag_bytes

from .conftest import ROOT, encode, wav_file

FOREIGN = {
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "This looks like a PDF document"),
    "a web page": (b"<!DOCTYPE html><html><head>", "This looks like a web page"),
    "an error page with blanks": (b"\n  <html>\n<body>404", "This looks like a web page"),
    "JSON": (b'{"error": "not found"}', "This looks like JSON"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "This looks like XML"),
    "text": (b"Hello, this is no audio. " * 9, "This looks like text"),
    "Korean text": ("안녕하세요. 이것은 소리가 아닙니다.".encode(), "This looks like text"),
    "a ZIP archive": (b"PK\x03\x04" + bytes(60), "Unpack it"),
    "a PNG image": (b"\x89PNG\r\n\x1a\n" + bytes(60), "This looks like a PNG image"),
    "a photo of a phone": (b"\x00\x00\x00\x18ftypheic" + bytes(60), "This looks like a HEIC image"),
    "a WebP image": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(60), "This looks like a WebP image"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(60), "This looks like a program"),
    "a playlist": (b"#EXTM3U\nhttp://example.test/a.ts\n", "This is a playlist"),
}
GOOD = {
    "a.wav": ("wav", "pcm_s16le"), "a.mp3": ("mp3", "libmp3lame"), "a.m4a": ("ipod", "aac"),
    "a.flac": ("flac", "flac"), "a.opus": ("ogg", "libopus"), "a.webm": ("webm", "libopus"), "a.aac": ("adts", "aac"),
    "a.aiff": ("aiff", "pcm_s16be"), "a.ac3": ("ac3", "ac3"), "a.caf": ("caf", "pcm_s16le"),
    "a.au": ("au", "pcm_s16be"), "a.wv": ("wv", "wavpack"), "a.ts": ("mpegts", "mp2"),
}  # fmt: skip
LONG_TAG = b"ID3\x04\x00\x00\x00\x08\x00\x00" + bytes(2 * HEAD_BYTES)


def _refusal(data: bytes) -> MediaError:
    with pytest.raises(MediaError) as caught:
        check_head(data[:HEAD_BYTES], size_bytes=len(data))
    return caught.value


@pytest.mark.parametrize(("data", "words"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_not_audio_is_told_what_it_looks_like(data: bytes, words: str) -> None:
    error = _refusal(data)

    assert error.code == "media_not_audio"
    assert error.detail.startswith(words) or words in error.detail
    assert error.detail.endswith(".")


def test_nothing_is_told_to_be_nothing() -> None:
    assert _refusal(b"").code == "media_empty"


@pytest.mark.parametrize("data", [bytes(range(256)) * 9, b"Salted__" + bytes(60)], ids=["noise", "encrypted"])
def test_what_no_decoder_opens_is_unsupported(data: bytes) -> None:
    assert _refusal(data).code == "media_unsupported"


@pytest.mark.parametrize("name", GOOD)
def test_audio_passes(name: str, tmp_path: Path) -> None:
    container, codec = GOOD[name]
    data = encode(tmp_path / name, container=container, codec=codec, rate_hz=48_000, seconds=0.5).read_bytes()

    check_head(data[:HEAD_BYTES], size_bytes=len(data))


@pytest.mark.parametrize("front", [LONG_TAG, bytes(2 * HEAD_BYTES)], ids=["a long tag", "zero bytes"])
def test_an_mp3_far_behind_its_start_is_left_to_the_decoder(front: bytes, tmp_path: Path) -> None:
    mp3 = encode(tmp_path / "a.mp3", container="mp3", codec="libmp3lame", rate_hz=44_100).read_bytes()
    data = front + mp3[mp3.index(b"\xff\xfb") :]

    check_head(data[:HEAD_BYTES], size_bytes=len(data))


def test_a_small_file_of_zero_bytes_is_not_undecided() -> None:
    assert _refusal(bytes(500)).code == "media_unsupported"


@given(
    start=st.sampled_from([b"", b"ID3\x04\x00\x00\x00\x00\x02\x01", bytes(HEAD_BYTES - 2), bytes(20)])
    | st.sampled_from([magic for _, magic, _ in MAGIC])
    | st.binary(max_size=9),
    rest=st.binary(max_size=600),
    longer=st.booleans(),
)
def test_it_refuses_nothing_that_the_decoder_would_open(start: bytes, rest: bytes, longer: bool) -> None:
    data = start + rest + (b"\xff\xfb\x90\x00" + bytes(HEAD_BYTES) if longer else b"")
    try:
        check_head(data[:HEAD_BYTES], size_bytes=len(data))
    except MediaError:
        assert not tag_bytes(data)  # the decoder opens every tagged file
        with pytest.raises(MediaError):
            container_of(data)


def test_it_needs_no_library_of_the_decoder() -> None:
    """The web process asks it, and does without 30 MB of numpy and av."""
    code = "import sys, speech.audio.heads; print(sorted({'numpy', 'av', 'django'} & set(sys.modules)))"
    environ = os.environ | {"PYTHONPATH": str(ROOT / "platform")}

    found = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


def test_a_wav_that_is_only_a_header_passes_to_the_decoder(tmp_path: Path) -> None:
    data = wav_file(tmp_path / "a.wav", samples=0).read_bytes()

    check_head(data, size_bytes=len(data))
