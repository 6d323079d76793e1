"""espeak-ng speaks from a process of its own, with voices by the library's own list."""

import subprocess
import sys
import wave
from pathlib import Path

import pytest

from speech.audio.child import clean_environment
from speech.engines.espeak import SpeakError, speak_to_wav, voices


def test_it_speaks_text_into_a_wav_file(tmp_path: Path) -> None:
    out = tmp_path / "said.wav"

    speak_to_wav("Hello, this is a test.", voice="en-us+f2", wpm=140, out=out)

    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        assert 1.0 < file.getnframes() / 22_050 < 4.0


def test_it_lists_the_librarys_voices() -> None:
    listed = voices()

    assert len(listed) > 100
    assert "en-gb" in {tag for voice in listed for tag in voice.languages}
    assert "ko" in {tag for voice in listed for tag in voice.languages}


@pytest.mark.parametrize("voice", ["en-gb", "en", "en-US", "ko", "English (Great Britain)", "gmw/en", "en-us+f2"])
def test_it_finds_a_voice_by_tag_name_or_identifier(voice: str, tmp_path: Path) -> None:
    speak_to_wav("one two 하나 둘", voice=voice, out=tmp_path / "said.wav")

    assert (tmp_path / "said.wav").stat().st_size > 10_000


def test_a_faster_voice_needs_less_time(tmp_path: Path) -> None:
    for wpm in (100, 300):
        speak_to_wav("This sentence takes its time.", voice="en-us", wpm=wpm, out=tmp_path / f"{wpm}.wav")

    assert (tmp_path / "300.wav").stat().st_size < 0.6 * (tmp_path / "100.wav").stat().st_size


@pytest.mark.parametrize(
    ("text", "voice", "wpm", "code"),
    [
        ("hello", "xx-none", 140, "voice_unknown"),
        ("hello", "en-us+../../../../etc/passwd", 140, "voice_unknown"),
        ("  \x00 ", "en-us", 140, "text_empty"),
        ("hello", "en-us", 10, "speed_out_of_range"),
        ("a" * 100_001, "en-us", 140, "text_too_long"),
    ],
)
def test_it_refuses_with_a_reason_and_leaves_no_file(
    text: str, voice: str, wpm: int, code: str, tmp_path: Path
) -> None:
    with pytest.raises(SpeakError) as caught:
        speak_to_wav(text, voice=voice, wpm=wpm, out=tmp_path / "said.wav")

    assert caught.value.code == code
    assert not list(tmp_path.iterdir())


def test_speaking_for_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(SpeakError) as caught:
        speak_to_wav("word " * 20_000, voice="en-us", out=tmp_path / "said.wav", timeout_s=0.3)

    assert caught.value.code == "speech_timeout"
    assert not list(tmp_path.iterdir())


def test_the_library_is_never_loaded_into_our_own_process() -> None:
    code = (
        "import speech.engines.espeak, speech.engines.registry, speech.audio.media, speech.captions, sys;"
        "heavy = {'espeakng_loader', 'speech.engines.espeak_library', 'av', 'pocketsphinx', 'django'};"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], env=clean_environment(), check=False)

    assert done.returncode == 0
