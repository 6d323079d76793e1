"""What README and docs show is run, with only address, key and file put in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI
from stack import Stack, Tenant

from apikit.dialects import speaks_openai
from speech.openai.forms import names_of
from workers.demo import voice

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "openai.md"
MAX_LINES = 3


def _snippets(path: Path) -> list[str]:
    return list(re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), flags=re.DOTALL))


def _filled(snippet: str, *, stack: Stack, key: str, file: Path) -> str:
    filled = snippet.replace("http://127.0.0.1:8700", stack.url).replace("parl_live_...", key)
    return filled.replace("call.wav", str(file))


@pytest.fixture
def call(tmp_path: Path, spoken: bytes) -> Path:
    path = tmp_path / "call.wav"
    path.write_bytes(spoken)
    return path


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_three_lines_of_the_readme_run(
    stack: Stack, anna: Tenant, call: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = (text for text in _snippets(ROOT / "README.md") if "from openai import" in text)
    assert len([line for line in snippet.splitlines() if line]) == MAX_LINES
    names: dict[str, Any] = {}
    exec(_filled(snippet, stack=stack, key=anna.api_key, file=call), names)
    names["client"].close()
    assert voice.word_error_rate(voice.SENTENCE, heard=capsys.readouterr().out) < 0.5


def test_the_examples_of_the_docs_run(
    stack: Stack, anna: Tenant, call: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = _snippets(DOCS)
    names: dict[str, Any] = {}
    exec(_filled(first, stack=stack, key=anna.api_key, file=call), names)
    assert voice.word_error_rate(voice.SENTENCE, heard=capsys.readouterr().out) < 0.5
    with call.open("rb") as names["audio"]:
        exec(second, names)
    names["client"].close()


def test_the_docs_name_every_field_and_every_exception() -> None:
    text = DOCS.read_text("utf-8")
    openais = {"file", "model", "prompt", "response_format", "temperature", "timestamp_granularities", "languages"}
    assert {name for name in names_of("transcribe") if f"`{name}" not in text and name not in text} <= openais
    for name in re.findall(r"`(\w+Error)`", text):
        assert issubclass(getattr(openai, name), openai.APIStatusError)


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/models", "/v1/models/a/b", "/v1/audio/"])
def test_openais_paths_are_known(path: str) -> None:
    assert speaks_openai(path)


@pytest.mark.parametrize(
    "path", ["/v1/models-of-mine", "/v1/audios", "/v1/transcriptions", "/v2/audio/speech", "/v1/engines"]
)
def test_other_paths_are_not(path: str) -> None:
    assert not speaks_openai(path)


def test_reading_needs_no_more_than_the_address_and_the_key(sdk: Callable[..., OpenAI], anna: Tenant) -> None:
    assert sdk(anna.test_api_key).models.retrieve("whisper-1").id == "whisper-1"
