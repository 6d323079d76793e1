"""The name under which a transcript is saved: readable everywhere, and harmless whatever the file was called."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.captions.downloads import content_disposition

HEADER = re.compile(
    r"attachment; filename=\"([ !#$&-.0-;=@-\[\]-~]+)\"(?:; filename\*=UTF-8''([!#$%&+\-.^_`|~0-9A-Za-z]+))?"
)
NASTY = "\"\\/\r\n;%'\u202e\u2066\u200f\u0000\ud800.. :*?<>|가é👩\u200d👧ab"


def _names(source: str, *, form: str = "srt") -> tuple[str, str]:
    """The name for old clients and the one for all others."""
    match = HEADER.fullmatch(content_disposition(source, format=form, fallback="trn_1"))
    assert match, content_disposition(source, format=form, fallback="trn_1")
    return match[1], unquote(match[2], errors="strict") if match[2] else match[1]


@pytest.mark.parametrize(
    ("source", "plain", "full"),
    [
        ("talk.mp3", "talk.srt", "talk.srt"),
        ("회의 1차.m4a", "__ 1_.srt", "회의 1차.srt"),
        ("회의.m4a", "trn_1.srt", "회의.srt"),
        (unicodedata.normalize("NFD", "한글 a.wav"), "__ a.srt", "한글 a.srt"),
        ("", "trn_1.srt", "trn_1.srt"),
        ("v1.2 final", "v1.2 final.srt", "v1.2 final.srt"),
        (".hidden", "hidden.srt", "hidden.srt"),
        ("../../etc/passwd", "passwd.srt", "passwd.srt"),
        ("C:\\calls\\a.wav", "a.srt", "a.srt"),
        ('a"; filename="evil.exe', "a_; filename=_evil.srt", "a_; filename=_evil.srt"),
        ("a\r\nSet-Cookie: x=1.wav", "aSet-Cookie_ x=1.srt", "aSet-Cookie_ x=1.srt"),
        ("invoice\u202e3pm.wav", "invoice3pm.srt", "invoice3pm.srt"),
        ("100%41.wav", "100_41.srt", "100%41.srt"),
        ("con.wav", "_con.srt", "_con.srt"),
    ],
)
def test_the_name_is_the_recordings_with_another_ending(source: str, plain: str, full: str) -> None:
    assert _names(source) == (plain, full)


@pytest.mark.parametrize(("form", "ending"), [("srt", "srt"), ("vtt", "vtt"), ("text", "txt"), ("json", "json")])
def test_each_format_has_its_ending(form: str, ending: str) -> None:
    assert _names("talk.mp3", form=form)[0] == f"talk.{ending}"


@given(st.text() | st.text(alphabet=NASTY, min_size=1))
def test_no_name_breaks_out_of_its_header_or_its_folder(source: str) -> None:
    for name in _names(source):
        assert name.isprintable()
        assert not set(name) & set('/\\:*?"<>|')
        assert not name.startswith(".")
        assert len(name.encode()) <= 255
        assert unicodedata.is_normalized("NFC", name)
