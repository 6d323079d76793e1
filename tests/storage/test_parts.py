"""A file that comes in parts, to a local folder and to S3 alike."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from storage.facade import LocalStore, ObjectMissing, ObjectStore, Part, PartsMissing, S3Store, SignedRequest
from tests.storage.blob_server import ORIGIN, blob_app

KEY = "tenants/t_1/uploads/upl_1"
WAV = "audio/wav"
SIZES = [5 * 1_048_576, 5 * 1_048_576, 1_000]  # S3 takes no smaller one, but the last
DATA = [os.urandom(size) for size in SIZES]

Send = Callable[[SignedRequest, bytes], httpx.Response]


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """PUTs as the holder of the signed request would."""
    app = blob_app(tmp_path / "store", idle_timeout_s=5, durable=False)

    async def local(request: SignedRequest, data: bytes) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
            return await client.put(request.url, headers=request.headers, content=data)

    def put(request: SignedRequest, data: bytes) -> httpx.Response:
        if "/v1/blobs/" in request.url:
            return asyncio.run(local(request, data))
        return httpx.put(request.url, headers=request.headers, content=data)

    return put


def _ticket(store: ObjectStore, parts_id: str, number: int) -> SignedRequest:
    return store.presign_part(KEY, parts_id=parts_id, number=number, size_bytes=SIZES[number - 1], expires_s=60)


def _sent(store: ObjectStore, send: Send, *numbers: int) -> str:
    parts_id = store.start_parts(KEY, content_type=WAV)
    for number in numbers:
        assert send(_ticket(store, parts_id, number), DATA[number - 1]).status_code == 200
    return parts_id


def _join(store: ObjectStore, parts_id: str) -> Any:
    return store.join_parts(KEY, parts_id=parts_id, content_type=WAV, sizes=SIZES)


def test_parts_in_any_order_become_one_object(store: ObjectStore, send: Send) -> None:
    parts_id = _sent(store, send, 3, 1)
    assert store.list_parts(KEY, parts_id=parts_id) == [Part(1, SIZES[0]), Part(3, SIZES[2])]
    with pytest.raises(PartsMissing) as missing:
        _join(store, parts_id)
    assert missing.value.numbers == (2,)
    assert store.stat(KEY) is None
    send(_ticket(store, parts_id, 2), DATA[1])
    info = _join(store, parts_id)
    assert (info.size_bytes, info.content_type) == (sum(SIZES), WAV)
    assert store.read_bytes(KEY) == b"".join(DATA)


def test_a_part_sent_again_replaces_itself(store: ObjectStore, send: Send) -> None:
    parts_id = _sent(store, send, 1, 2, 3)
    assert send(_ticket(store, parts_id, 1), DATA[1]).status_code == 200
    _join(store, parts_id)
    assert store.read_bytes(KEY)[: SIZES[0]] == DATA[1]


def test_parts_are_joined_once_and_then_no_more_can_come(store: ObjectStore, send: Send) -> None:
    parts_id = _sent(store, send, 1, 2, 3)
    first = _join(store, parts_id)
    assert _join(store, parts_id) == first
    assert send(_ticket(store, parts_id, 1), DATA[1]).status_code >= 400  # moto answers 500
    assert store.read_bytes(KEY) == b"".join(DATA)
    assert store.list_parts(KEY, parts_id=parts_id) == []


def test_dropped_parts_leave_nothing(store: ObjectStore, send: Send) -> None:
    parts_id = _sent(store, send, 1, 2, 3)
    store.drop_parts(KEY, parts_id=parts_id)
    store.drop_parts(KEY, parts_id=parts_id)
    with pytest.raises(ObjectMissing):
        _join(store, parts_id)
    assert send(_ticket(store, parts_id, 1), DATA[0]).status_code >= 400  # moto answers 500
    assert store.stat(KEY) is None


def test_unfinished_parts_are_no_objects_and_go_with_their_prefix(
    local_store: LocalStore, send: Send, tmp_path: Path
) -> None:
    _sent(local_store, send, 1)
    assert list(local_store.list_prefix("tenants/")) == []
    assert local_store.delete_prefix("tenants/t_1/") == 0
    assert not list((tmp_path / "store" / "objects").iterdir())


def test_unfinished_parts_on_s3_are_aborted_as_stale_writes(s3_store: S3Store, send: Send) -> None:
    parts_id = _sent(s3_store, send, 1)
    assert s3_store.clear_stale_writes(older_than_s=-3600) == 1
    assert s3_store.list_parts(KEY, parts_id=parts_id) == []


@pytest.mark.parametrize("change", [("part=1", "part=2"), ("len=", "len=1"), ("exp=", "exp=9")])
def test_a_signed_part_is_that_part_of_that_size(local_store: LocalStore, send: Send, change: tuple[str, str]) -> None:
    parts_id = local_store.start_parts(KEY, content_type=WAV)
    ticket = _ticket(local_store, parts_id, 1)
    changed = SignedRequest(ticket.url.replace(*change), ticket.method, ticket.headers, ticket.expires_at)
    assert send(changed, DATA[0]).json()["code"] == "signature_invalid"
    assert send(ticket, DATA[0][:-1]).json()["code"] == "length_mismatch"
    assert local_store.list_parts(KEY, parts_id=parts_id) == []


def test_s3_signs_the_part_and_its_length(s3_store: S3Store) -> None:
    parts_id = s3_store.start_parts(KEY, content_type=WAV)
    query = parse_qs(urlsplit(_ticket(s3_store, parts_id, 2).url).query)
    assert (query["partNumber"], query["uploadId"], query["X-Amz-Expires"]) == (["2"], [parts_id], ["60"])
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]


def test_a_bucket_lets_pages_of_registered_origins_in(s3_store: S3Store) -> None:
    s3_store.allow_origins([ORIGIN])
    client = s3_store._client()
    rule = client.get_bucket_cors(Bucket=s3_store._bucket)["CORSRules"][0]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ([ORIGIN], ["GET", "HEAD", "PUT"])
    s3_store.allow_origins([])
    with pytest.raises(client.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        client.get_bucket_cors(Bucket=s3_store._bucket)
