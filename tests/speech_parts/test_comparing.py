"""Comparing engines: scores, folders, and the whole command on real speech."""

from __future__ import annotations

import doctest
import json
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from speech.comparing import scoring
from speech.comparing.clips import NoClips, clips_in
from speech.comparing.scoring import character_distance, word_distance
from speech.offers.current import catalogue, quality
from workers.cli.engines import app

SAID = "one two three"


@pytest.fixture(autouse=True)
def _read_anew(migrated: None) -> Iterator[None]:
    catalogue.forget()
    quality.forget()
    yield
    quality.forget()


def test_examples_hold() -> None:
    assert doctest.testmod(scoring).failed == 0


@given(st.text(), st.text())
def test_a_distance_is_none_for_the_same_and_bounded_for_others(said: str, heard: str) -> None:
    assert word_distance(said, said).edits == character_distance(said, said).edits == 0
    distance = character_distance(said, heard)
    assert distance.edits <= max(distance.length, len(scoring.characters(heard)))


def test_how_letters_are_composed_and_where_korean_puts_spaces_does_not_count() -> None:
    said = "회의를 시작하겠습니다."
    assert character_distance(said, unicodedata.normalize("NFD", "회의를시작하겠습니다")).edits == 0
    assert word_distance(said, "회의를시작하겠습니다").edits == 2


def test_a_folder_is_read_by_language(tmp_path: Path) -> None:
    for name in ("a.wav", "ko-b.wav", "c.flac", "no-text.wav"):
        (tmp_path / name).touch()
    for name in ("a.txt", "ko-b.txt", "c.ko.txt"):
        (tmp_path / name).write_text(SAID)
    assert [clip.name for clip in clips_in(tmp_path, language="en")] == ["a.wav"]
    assert [clip.name for clip in clips_in(tmp_path, language="ko")] == ["a.wav", "c.flac", "ko-b.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoClips, match=r"a\.txt"):
        clips_in(tmp_path / "empty", language="en")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_command_measures_real_speech_and_the_quality_policy_reads_it(
    speech_clips: list[Path], tmp_path: Path
) -> None:
    for clip in [clip for clip in speech_clips if clip.with_suffix(".txt").exists()][:2]:
        (tmp_path / clip.name).symlink_to(clip)
        (tmp_path / f"{clip.stem}.txt").symlink_to(clip.with_suffix(".txt"))
    page = tmp_path / "page.html"
    done = run("compare", str(tmp_path), "--language", "en", "--json", "--html", str(page))
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)["data"][0]
    assert (row["engine"], row["model"], row["clips"], row["failed"]) == ("pocketsphinx", "en-us", 2, 0)
    assert 0 < Decimal(row["wer"]) < 1
    assert row["latency_ms_p95"] >= row["latency_ms_p50"] > 0
    measured = quality()["pocketsphinx", "en-us", "en"]
    assert (measured.error_rate, measured.is_cer, measured.clips) == (Decimal(row["wer"]), False, 2)
    assert "<script" not in page.read_text()
    assert "http" not in page.read_text()


def test_a_language_like_korean_is_judged_by_characters(tmp_path: Path, tone_file: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tone_file)
    (tmp_path / "a.txt").write_text("<b>회의</b>")
    page = tmp_path / "page.html"
    done = run("compare", str(tmp_path), "--language", "ko-KR", "--engine", "simulated", "--html", str(page))
    assert done.exit_code == 0, done.output
    assert "Stored for the policy `quality`." in done.stdout
    assert quality()["simulated", "simulated-1", "ko"].is_cer
    assert "<b>" not in page.read_text()


def test_a_dry_run_stores_nothing(tmp_path: Path, tone_file: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tone_file)
    (tmp_path / "a.txt").write_text(SAID)
    run("compare", str(tmp_path), "--language", "fr", "--engine", "simulated", "--dry-run", "--json")
    assert ("simulated", "simulated-1", "fr") not in quality()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--language", "ko"], "No engine here knows ko"),
        (["--language", "en", "--engine", "whisper"], "no engine whisper"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path: Path, tone_file: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "a.wav").symlink_to(tone_file)
    (tmp_path / "a.txt").write_text(SAID)
    done = run("compare", str(tmp_path), *arguments)
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", "").split())


@pytest.fixture(scope="module")
def tone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a tone."""
    from tests.api.media import tone

    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    path.write_bytes(tone(1_000))
    return path
