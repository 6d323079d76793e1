"""Files on their way: in parts, each of them sent until it is there, and never again once it is."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
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


def test_async_programs_send_the_same(server: Server) -> None:
    server.before[3] = [httpx.ReadError("cut")]
    told: list[Progress] = []

    async def program() -> None:
        async with server.async_client() as client:
            sent = await client.upload(DATA, part_size_bytes=PART_BYTES, on_progress=told.append)
            assert sent.status == "completed"

    asyncio.run(program())
    assert b"".join(body for _, body in server.parts) == DATA
    assert told[-1].percent == 100
