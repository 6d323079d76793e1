"""espeak-ng: text to a WAV file, always in a process of its own.

The library is GPL-3 and its C interface is global state, so nothing of Parlance links it: this file is the program

    python -m speech.engines.espeak --voice en-us+f2 --wpm 140 --out FILE.wav    (UTF-8 text on standard input)
    python -m speech.engines.espeak --voice ko --wpm 140 --raw                     (samples on standard output)
    python -m speech.engines.espeak --voice ko --wpm 140 --marks word              (positions and samples as JSON)
    python -m speech.engines.espeak --list                                       (voices as JSON)

and the functions that call the program.
"""

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from speech.audio.child import SOURCE_ROOT, clean_environment

MAX_CHARACTERS: Final = 100_000
MIN_WPM: Final = 80  # the library's own bounds
MAX_WPM: Final = 450
LIST_TIMEOUT_S: Final = 20.0
MARKS_TIMEOUT_S: Final = 60.0
VOICE_UNKNOWN, TEXT_EMPTY, SYNTHESIS_FAILED = 3, 4, 5

PROBLEMS: Final = {
    VOICE_UNKNOWN: ("voice_unknown", "espeak-ng has no such voice. List the voices and choose one of them."),
    TEXT_EMPTY: ("text_empty", "There is nothing to say in the text. Send at least one spoken character."),
    SYNTHESIS_FAILED: ("synthesis_failed", "espeak-ng could not speak the text. Try another voice or text."),
}


class SpeakError(Exception):
    """Text that could not be spoken: a stable `code` and a `detail` that says what to do."""

    def __init__(self, *, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of the library: `name` for people, `identifier` for the library, language tags by priority."""

    name: str
    identifier: str
    languages: tuple[str, ...]
    gender: str


def speak_to_wav(text: str, *, voice: str, wpm: int = 160, out: Path, timeout_s: float = 60.0) -> None:
    """Write `text`, spoken, to the WAV file `out` (16-bit mono, 22,050 Hz); raises SpeakError and leaves no file."""
    if len(text) > MAX_CHARACTERS:
        raise SpeakError(code="text_too_long", detail=f"At most {MAX_CHARACTERS} characters at once. Send parts.")
    if not MIN_WPM <= wpm <= MAX_WPM:
        raise SpeakError(code="speed_out_of_range", detail=f"Speed is {MIN_WPM} to {MAX_WPM} words per minute.")
    arguments = ["--voice", voice, "--wpm", str(wpm), "--out", str(out.resolve())]
    try:
        _run(arguments, text=text, timeout_s=timeout_s)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def start_speaking(text: str, *, voice: str, wpm: int, is_ssml: bool = False) -> subprocess.Popen[bytes]:
    """The program at work: raw samples (16-bit mono, 22,050 Hz) come from its standard output as they are made.

    Its exit status tells what went wrong (`PROBLEMS`). The caller reads to the end or kills it.
    """
    arguments = ["--voice", voice, "--wpm", str(wpm), "--raw", *(["--ssml"] if is_ssml else [])]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "speech.engines.espeak", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the library may print the text
        env=clean_environment(),
        cwd=SOURCE_ROOT,
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(text.encode(errors="replace"))
    return process


def marks(text: str, *, voice: str, wpm: int, kind: str, is_ssml: bool = False) -> list[tuple[int, int]]:
    """Where in the text, markup included, and at which sample each word or sentence begins; raises SpeakError.

    It is spoken once more for that, which gives the same samples again.
    """
    arguments = ["--voice", voice, "--wpm", str(wpm), "--marks", kind, *(["--ssml"] if is_ssml else [])]
    return [(place, sample) for place, sample in json.loads(_run(arguments, text=text, timeout_s=MARKS_TIMEOUT_S))]


def voices(*, timeout_s: float = LIST_TIMEOUT_S) -> tuple[Voice, ...]:
    """The library's own list of voices."""
    found = json.loads(_run(["--list"], text="", timeout_s=timeout_s))
    return tuple(
        Voice(
            name=item["name"], identifier=item["identifier"], languages=tuple(item["languages"]), gender=item["gender"]
        )
        for item in found
    )


def _run(arguments: Sequence[str], *, text: str, timeout_s: float) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "speech.engines.espeak", *arguments],
            input=text.encode(errors="replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the library may print the text
            env=clean_environment(),
            cwd=SOURCE_ROOT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SpeakError(code="speech_timeout", detail="Speaking took too long. Send shorter text.") from None
    if done.returncode != 0:
        code, detail = PROBLEMS.get(done.returncode, PROBLEMS[SYNTHESIS_FAILED])
        raise SpeakError(code=code, detail=detail)
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; exit statuses 3, 4 and 5 are the problems above."""
    from speech.engines import espeak_library

    options = _options(arguments)
    library = espeak_library.Library()
    if options.list:
        json.dump(library.voices(), sys.stdout)
        return 0
    text = sys.stdin.buffer.read().decode(errors="replace").replace("\x00", " ").strip()
    if not text:
        return TEXT_EMPTY
    voice = library.resolve(options.voice)
    if voice is None:
        return VOICE_UNKNOWN
    try:
        if options.marks:
            found = library.marks(text, voice=voice, wpm=options.wpm, kind=options.marks, is_ssml=options.ssml)
            json.dump(found, sys.stdout)
        elif options.raw:
            library.speak_raw(text, voice=voice, wpm=options.wpm, out=sys.stdout.buffer, is_ssml=options.ssml)
        else:
            library.speak(text, voice=voice, wpm=options.wpm, out=options.out)
    except espeak_library.EspeakFailed:
        return SYNTHESIS_FAILED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speak UTF-8 text from standard input into a WAV file.")
    parser.add_argument("--voice", default="en-us", help="name, language tag or identifier, with an optional +variant")
    parser.add_argument("--wpm", type=int, default=160, help="words per minute, 80 to 450")
    parser.add_argument("--out", type=Path, help="the WAV file to write")
    parser.add_argument("--raw", action="store_true", help="write bare samples to standard output instead")
    parser.add_argument("--marks", choices=["word", "sentence"], help="print where each of them begins, as JSON")
    parser.add_argument("--ssml", action="store_true", help="the text is SSML")
    parser.add_argument("--list", action="store_true", help="print the voices as JSON")
    options = parser.parse_args(arguments)
    if not (options.list or options.raw or options.marks) and options.out is None:
        parser.error("--out, --raw or --marks is needed")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
