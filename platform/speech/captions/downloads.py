"""The name under which a transcript is saved, as a `Content-Disposition` of RFC 6266. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from speech.captions.graphemes import graphemes

ENDINGS: Final = {"text": "txt", "srt": "srt", "vtt": "vtt", "json": "json"}
MAX_STEM_BYTES: Final = 200  # file systems take 255 for the whole name
_ATTR_CHARS: Final = "!#$&+-.^_`|~"  # with letters and digits, what RFC 8187 leaves as it is
_FOR_PATHS: Final = re.compile(r'[/\\:*?"<>|]')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.ASCII)


def content_disposition(source_name: str, *, format: str, fallback: str) -> str:  # noqa: A002  # the API's own word
    """`attachment` with the source's name and the format's ending; other names than ASCII in both ways.

    >>> content_disposition("회의 1.m4a", format="srt", fallback="trn_1")
    'attachment; filename="__ 1.srt"; filename*=UTF-8\\'\\'%ED%9A%8C%EC%9D%98%201.srt'
    >>> content_disposition("talk.mp3", format="vtt", fallback="trn_1")
    'attachment; filename="talk.vtt"'
    """
    stem = _stem(source_name) or fallback
    ascii_stem = "".join(letter if letter.isascii() else "_" for letter in stem)
    if not any(letter.isalnum() for letter in ascii_stem):
        ascii_stem = fallback
    plain = f'attachment; filename="{ascii_stem.replace("%", "_")}.{ENDINGS[format]}"'
    if stem == ascii_stem and "%" not in stem:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(f'{stem}.{ENDINGS[format]}', safe=_ATTR_CHARS)}"


def _stem(name: str) -> str:
    """The name without its ending, and without anything that could lead elsewhere or deceive the eye."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    head, dot, ending = last.rpartition(".")
    stem = head if dot and head and len(ending) <= 5 else last
    seen = "".join(letter for letter in stem if letter.isprintable())  # no controls, no marks that turn the direction
    safe = _FOR_PATHS.sub("_", seen).strip(" .")
    return _cut(f"_{safe}" if _RESERVED.match(safe) else safe)


def _cut(stem: str) -> str:
    kept, size = "", 0
    for cluster in graphemes(stem):
        size += len(cluster.encode())
        if size > MAX_STEM_BYTES:
            break
        kept += cluster
    return kept.rstrip(" .")
