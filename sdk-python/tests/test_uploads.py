"""Files on their way: in parts, each of them sent until it is there, and never again once it is."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest

import parlance
from parlance import Progress
from parlance.testing import FakeParlance

PART_BYTES = 1_000
DATA = os.urandom(2_500)
Trouble = Callable[[], httpx.Response]


class Server(FakeParlance):
    """The fake, with trouble at chosen parts; `before` it takes the bytes or after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[int, list[httpx.Response | Exception]] = {}
        self.after: dict[int, list[Exception]] = {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        part = int(request.url.path.rpartition("/")[2]) if request.method == "PUT" else 0
        if self.before.get(part):
            trouble = self.before[part].pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        answer = super().handle(request)
        if self.after.get(part):
            raise self.after[part].pop(0)
        return answer

    @property
    def parts(self) -> list[tuple[int, bytes]]:
        puts = [sent for sent in self.sent if sent.method == "PUT"]
        return [(int(sent.path.rpartition("/")[2]), sent.body) for sent in puts]

    @property
    def posts(self) -> list[str]:
        return [sent.path.rpartition("/")[2] for sent in self.sent if sent.method == "POST"]


@pytest.fixture
def server() -> Server:
    return Server()


class Pipe(io.BytesIO):
    """Something that can be read once."""

    def seekable(self) -> bool:
        return False


def _file(folder: Path) -> BinaryIO:
    later = io.BytesIO(b"before it" + DATA)
    later.seek(9)
    return later


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: folder / "call.wav", "bytes": lambda _: DATA, "file": _file, "pipe": lambda _: Pipe(DATA),
}  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
def test_whatever_holds_it_goes_in_parts_and_is_completed(server: Server, tmp_path: Path, kind: str) -> None:
    (tmp_path / "call.wav").write_bytes(DATA)
    told: list[Progress] = []
    with server.client() as client:
        sent = client.upload(SOURCES[kind](tmp_path), part_size_bytes=PART_BYTES, on_progress=told.append)
    assert sent.status == "completed"
    assert b"".join(body for _, body in server.parts) == DATA
    assert server.sent[0].body["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert [one.done for one in told] == [1_000, 2_000, 2_500]
    assert {one.total for one in told} == {2_500}


def test_a_part_that_fails_is_sent_again_and_no_other(server: Server, waited: list[float]) -> None:
    server.before[2] = [httpx.ReadError("cut"), httpx.Response(500), httpx.Response(403)]
    with server.client() as client:
        client.upload(DATA, part_size_bytes=PART_BYTES)
    assert [number for number, _ in server.parts] == [1, 2, 3]  # what the server took
    assert server.posts == ["uploads", "resume", "resume", "resume", "complete"]
    assert len(waited) == 3


def test_a_part_whose_answer_was_lost_is_not_sent_again(server: Server) -> None:
    server.after[1] = [httpx.ReadTimeout("late")]
    told: list[Progress] = []
    with server.client() as client:
        client.upload(DATA, part_size_bytes=PART_BYTES, on_progress=told.append)
    assert [number for number, _ in server.parts] == [1, 2, 3]
    assert told[-1].done == 2_500


def test_a_whole_file_whose_answer_was_lost_is_not_sent_again(server: Server) -> None:
    lost = [httpx.ReadError("cut")]

    def handle(request: httpx.Request) -> httpx.Response:
        answer = FakeParlance.handle(server, request)
        if request.method == "PUT" and lost:
            raise lost.pop()
        return answer

    with parlance.Parlance(
        api_key="parl_test_key", base_url="https://fake.parlance.test", transport=httpx.MockTransport(handle)
    ) as client:
        client.upload(DATA)
    assert len([sent for sent in server.sent if sent.method == "PUT"]) == 1


def test_another_run_goes_on_where_the_first_ended(server: Server) -> None:
    server.before[2] = [httpx.Response(413)]
    with server.client() as client:
        with pytest.raises(parlance.UploadFailed, match="did not arrive"):
            client.upload(DATA, part_size_bytes=PART_BYTES)
        begun = client.uploads.get(next(iter(server._uploads)))
        assert begun.parts is not None
        assert [part.status for part in begun.parts] == ["completed", "pending", "pending"]
        with pytest.raises(parlance.UploadFailed, match="another file"):
            client.upload(DATA + b"x", resume=begun.id)
        told: list[Progress] = []
        assert client.upload(DATA, resume=begun.id, on_progress=told.append).status == "completed"
        assert client.upload(DATA, resume=begun.id).status == "completed"
    assert [number for number, _ in server.parts] == [1, 2, 3]
    assert [one.done for one in told] == [1_000, 2_000, 2_500]


def test_it_gives_up_in_the_end(server: Server) -> None:
    server.before[1] = [httpx.ReadError("cut") for _ in range(99)]
    with server.client() as client, pytest.raises(parlance.UploadFailed, match="cannot be reached"):
        client.upload(DATA, part_size_bytes=PART_BYTES)
    assert server.parts == []


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder": (lambda folder: folder, "is a folder"),
    "nothing": (lambda folder: folder / "absent", "No such file"),
    "no path": (lambda _: "RIFF\0\0", "no path"),
    "an empty file": (lambda folder: made(folder, b""), "is empty"),
    "empty bytes": (lambda _: b"", "is empty"),
    "a file that was read": (lambda folder: read(made(folder, b"a").open("rb")), "read to its end"),
    "a text file": (lambda folder: made(folder, b"a").open(encoding="utf-8"), r"open\(path, \"rb\"\)"),
    "a wrapped text file": (lambda _: tempfile.NamedTemporaryFile("w+"), "open as text"),  # noqa: SIM115
    "text": (lambda _: io.StringIO("a"), "open as text"),
    "a closed file": (lambda folder: closed(made(folder, b"a")), "closed"),
    "a file for writing": (lambda folder: (folder / "new").open("wb"), "cannot be read"),
    "a device": (lambda _: Path(os.devnull), "is no file"),
    "a number": (lambda _: 3, "A int is no recording"),
    "none": (lambda _: None, "is no recording"),
}


def made(folder: Path, content: bytes) -> Path:
    path = folder / "a.wav"
    path.write_bytes(content)
    return path


def read(file: BinaryIO) -> BinaryIO:
    file.read()
    return file


def closed(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        return file


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_recording_is_told_and_nothing_is_sent(tmp_path: Path, what: str) -> None:
    source, told = WRONG[what]
    fake, given = FakeParlance(), source(tmp_path)
    with pytest.raises(parlance.UploadFailed, match=told):
        fake.client().transcribe(given)
    assert fake.sent == []
    if hasattr(given, "close"):
        given.close()


def test_a_file_that_becomes_shorter_is_told(tmp_path: Path) -> None:
    path, fake = made(tmp_path, bytes(9)), FakeParlance()
    handle = fake.handle

    def cutting(request: httpx.Request) -> httpx.Response:
        answer = handle(request)
        path.write_bytes(b"") if request.url.path == "/v1/uploads" else None
        return answer

    fake.handle = cutting  # type: ignore[method-assign]
    with pytest.raises(parlance.UploadFailed, match="became shorter"):
        fake.client().upload(path)
    path.write_bytes(bytes(9))
    fake.handle = lambda request: (path.unlink(missing_ok=True), handle(request))[1]  # type: ignore[method-assign]
    with pytest.raises(parlance.UploadFailed, match="cannot be read any more"):
        fake.client().upload(path)


def test_async_programs_send_the_same(server: Server) -> None:
    server.before[3] = [httpx.ReadError("cut")]
    told: list[Progress] = []

    async def tell(progress: Progress) -> None:
        await asyncio.sleep(0)
        told.append(progress)

    async def program() -> None:
        async with server.async_client() as client:
            sent = await client.upload(DATA, part_size_bytes=PART_BYTES, on_progress=tell)
            assert sent.status == "completed"

    asyncio.run(program())
    assert b"".join(body for _, body in server.parts) == DATA
    assert told[-1].percent == 100
