"""Recordings with their texts: `name.wav` (or flac, mp3, ogg, m4a, webm) beside `name.txt`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUFFIXES: Final = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm"})


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and what is said in it."""

    audio: Path
    said: str

    @property
    def name(self) -> str:
        return self.audio.name


class NoClips(ValueError):
    """The folder has nothing to compare with; the text says what is missing."""


def clips_in(folder: Path, *, language: str) -> list[Clip]:
    """The recordings of the folder that have a text; with `name.ko.txt` or a prefix `ko_` only those of the language.

    Raises `NoClips`.
    """
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise NoClips(f"There is no recording in {folder}. Put files such as a.wav there, each with its text in a.txt.")
    clips = [Clip(path, said) for path in found if (said := _text_of(path, language=language))]
    if not clips:
        raise NoClips(f"No recording in {folder} has a text of {language} beside it, such as {found[0].stem}.txt.")
    return clips


def _text_of(audio: Path, *, language: str) -> str:
    named = audio.with_name(f"{audio.stem}.{language}.txt")
    plain = audio.with_suffix(".txt")
    path = named if named.exists() else plain
    if not path.exists() or (path == plain and _is_of_another(audio, language=language)):
        return ""
    return path.read_text("utf-8").strip()


def _is_of_another(audio: Path, *, language: str) -> bool:
    """A name such as en-librispeech-1 tells its language."""
    head = audio.stem.replace("_", "-").partition("-")[0].lower()
    return len(head) == 2 and head.isalpha() and head != language
