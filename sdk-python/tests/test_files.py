"""Files that are written: whole, or not there."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import parlance
from parlance import Parlance
from parlance.testing import FakeParlance

Make = Callable[..., Parlance]


class Cut(httpx.SyncByteStream):
    """Half a body, and then the end of the connection."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("cut")


def cut(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Cut())


def test_an_export_that_is_cut_leaves_the_file_as_it_was(client_of: Make, tmp_path: Path) -> None:
    path = tmp_path / "statement.jsonl"
    for before in ([], [path]):
        with pytest.raises(parlance.ConnectionFailed):
            client_of(cut).statements.export("stm_1").save(path)
        assert list(tmp_path.iterdir()) == before
        path.write_text("whole")
    assert path.read_text() == "whole"


def test_a_link_goes_on_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to(tmp_path / "audio.wav")
    assert FakeParlance().client().speak("hello", to=tmp_path / "link.wav").content == b""
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "audio.wav").read_bytes().startswith(b"RIFF")


def test_what_is_no_file_is_written_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    FakeParlance().client().speak("hello", to=tmp_path / "pipe")
    assert os.read(reading, 4) == b"RIFF"
    os.close(reading)


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder": (lambda folder: folder, "is a folder"),
    "a place that is not there": (lambda folder: folder / "absent" / "a.mp3", "No such file"),
    "text": (lambda _: io.StringIO(), "open as text"),
    "a file for reading": (lambda folder: reading(folder), "not writable|cannot be written"),
    "a number": (lambda _: 3, "cannot be written"),
}


def reading(folder: Path) -> Any:
    (folder / "a").write_bytes(b"a")
    return (folder / "a").open("rb")


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_written_is_told_before_anything_is_asked_for(tmp_path: Path, what: str) -> None:
    target, told = WRONG[what]
    fake, given = FakeParlance(), target(tmp_path)
    with pytest.raises(parlance.OutputFailed, match=told):
        fake.client().speak("hello", to=given)
    assert fake.sent == []
    if hasattr(given, "close"):
        given.close()


@pytest.mark.parametrize("to_file", [False, True])
def test_audio_whose_answer_was_cut_is_fetched_from_its_job(tmp_path: Path, to_file: bool) -> None:
    fake = FakeParlance()
    handle = fake.handle

    def cutting(request: httpx.Request) -> httpx.Response:
        answer = handle(request)
        if request.method == "POST":
            answer = httpx.Response(200, headers={**answer.headers, "content-length": "9"}, stream=Cut())
        return answer

    fake.handle = cutting  # type: ignore[method-assign]
    audio = fake.client().speak("hello", to=tmp_path / "a.wav" if to_file else None)
    assert bytes(audio).startswith(b"RIFF")
    assert [f"{one.method} {one.path}" for one in fake.sent] == [
        "POST /v1/speech", f"GET /v1/speech/{audio.id}", f"GET /v1/speech/{audio.id}/audio",
    ]  # fmt: skip
