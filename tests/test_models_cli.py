"""`parlance models`: what lies here, what is as published, and what is said where nothing can be fetched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from egress.facade import ConnectFailed, Download
from speech.engines import whisper_models
from workers.cli.models import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARLANCE_WHISPER_DIR", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def bring(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    def download(self: object, url: str, *, to: Path, **_: object) -> Download:
        if content is None:
            raise ConnectFailed(url)
        to.write_bytes(content)
        return Download(to, len(content), None, hashlib.sha256(content).hexdigest(), "example.com")

    monkeypatch.setattr("egress.facade.Client.download", download)


def test_the_list_tells_what_lies_here(folder: Path) -> None:
    (folder / "large-v3-turbo.pt").write_bytes(b"")  # openai-whisper's own name of the file
    rows = {row["model"]: row["here"] for row in json.loads(run("list", "--json")[1])["data"]}
    assert [name for name, here in rows.items() if here] == ["turbo"]


def test_weights_that_differ_or_are_missing_fail_the_check(folder: Path) -> None:
    assert run("check")[0] == 1
    (folder / "tiny.pt").write_bytes(b"no weights")
    code, said = run("check")
    assert code == 1
    assert "tiny.pt differs" in said


def test_without_a_way_out_it_says_what_to_copy_where(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, None)
    code, said = run("pull", "tiny")
    assert code == 1
    assert str(folder / "tiny.pt") in said
    assert whisper_models.WEIGHTS["tiny"].url in said
    assert list(folder.iterdir()) == []


def test_what_is_not_as_published_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, b"something else")
    code, said = run("pull", "tiny")
    assert code == 1
    assert "checksum" in said
    assert list(folder.iterdir()) == []


def test_an_unknown_model_is_refused_with_the_known_ones(folder: Path) -> None:
    code, said = run("pull", "huge")
    assert code == 2
    assert "large-v3" in said
