"""What every store promises; runs against the local folder and S3 alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.facade import (
    CHUNK_BYTES,
    KeyInvalid,
    ObjectExists,
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    TooLarge,
)

KEY = "tenants/t_1/uploads/upl_1"
WAV = "audio/wav"
BAD_KEYS = [
    "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden", "a\0b", "a\nb", "a b",
    "a\\b", "a%2fb", "a%data", "한국", "a" * 129, "/".join(["a" * 100] * 6), "a?b", "a#b", "a\n",
]  # fmt: skip


def keys(store: ObjectStore, prefix: str = "tenants/") -> list[str]:
    return [info.key for info in store.list_prefix(prefix)]


def test_it_returns_what_was_put(store: ObjectStore) -> None:
    info = store.put_bytes(KEY, data=b"hello", content_type=WAV)
    assert store.read_bytes(KEY) == b"hello"
    assert store.stat(KEY) == info == ObjectInfo(KEY, 5, WAV, info.etag)


def test_it_replaces_an_object_and_its_type(store: ObjectStore) -> None:
    first = store.put_bytes(KEY, data=b"hello", content_type=WAV)
    for content_type in ("text/plain", "application/octet-stream", WAV):
        second = store.put_bytes(KEY, data=b"other!", content_type=content_type)
        assert store.stat(KEY) == ObjectInfo(KEY, 6, content_type, second.etag)
    assert second.etag != first.etag


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_bytes(KEY, data=b"", content_type=WAV)
    assert store.read_bytes(KEY) == b""
    assert list(store.open_range(KEY)) == []


@pytest.mark.parametrize("move", [False, True])
def test_it_takes_files(store: ObjectStore, tmp_path: Path, move: bool) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"x" * 300_000)
    info = store.put_file(KEY, path=path, content_type=WAV, move=move)
    assert (info.size_bytes, info.content_type) == (300_000, WAV)
    assert store.read_bytes(KEY) == b"x" * 300_000
    assert path.exists() is not move


def test_it_writes_a_file_only_when_complete(store: ObjectStore, tmp_path: Path) -> None:
    store.put_bytes(KEY, data=b"hello", content_type=WAV)
    store.fetch_to(KEY, path=tmp_path / "copy")
    with pytest.raises(ObjectMissing):
        store.fetch_to("tenants/none", path=tmp_path / "none")
    assert (tmp_path / "copy").read_bytes() == b"hello"
    assert not list(tmp_path.glob("none*"))
    (tmp_path / "copy").write_bytes(b"changed")
    assert store.read_bytes(KEY) == b"hello"


def test_a_writer_shows_nothing_before_commit(store: ObjectStore) -> None:
    with store.open_writer(KEY, content_type=WAV, max_bytes=10) as writer:
        writer.write(b"hel")
        writer.write(bytearray(b"lo"))
        assert store.stat(KEY) is None
        info = writer.commit()
    assert (info.size_bytes, store.read_bytes(KEY)) == (5, b"hello")


def test_a_writer_left_without_commit_leaves_nothing(store: ObjectStore) -> None:
    with store.open_writer(KEY, content_type=WAV, max_bytes=10) as writer:
        writer.write(b"hello")
    assert store.stat(KEY) is None
    assert keys(store) == []


def test_a_writer_refuses_more_than_its_limit(store: ObjectStore) -> None:
    with store.open_writer(KEY, content_type=WAV, max_bytes=4) as writer, pytest.raises(TooLarge):
        writer.write(b"hello")
    assert store.stat(KEY) is None


def test_a_large_write_arrives_whole(store: ObjectStore) -> None:
    data = os.urandom(20_000_001)
    with store.open_writer(KEY, content_type=WAV, max_bytes=len(data)) as writer:
        for start in range(0, len(data), 3_000_000):
            writer.write(data[start : start + 3_000_000])
        info = writer.commit()
    assert info.size_bytes == len(data)
    assert store.read_bytes(KEY) == data
    found = store.stat(KEY)
    assert found is not None
    assert found.content_type == WAV


def test_an_exclusive_write_never_replaces(store: ObjectStore) -> None:
    late = store.open_writer(KEY, content_type=WAV, max_bytes=10, exclusive=True)
    late.write(b"late")
    store.put_bytes(KEY, data=b"first", content_type=WAV)
    with late, pytest.raises(ObjectExists):
        late.commit()
    with pytest.raises(ObjectExists):
        store.open_writer(KEY, content_type=WAV, max_bytes=10, exclusive=True)
    assert store.read_bytes(KEY) == b"first"


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 10), (5, 6), (299_990, None), (10, 10), (7, 3), (300_000, None), (0, 999_999)]
)
def test_it_reads_ranges_like_a_slice(store: ObjectStore, start: int, end: int | None) -> None:
    data = os.urandom(300_000)
    store.put_bytes(KEY, data=data, content_type=WAV)
    chunks = list(store.open_range(KEY, start=start, end=end))
    assert b"".join(chunks) == (data[start:end] if end is None or end > start else b"")
    assert all(len(chunk) <= CHUNK_BYTES for chunk in chunks)


def test_a_missing_object_is_missing_at_once(store: ObjectStore) -> None:
    assert store.stat(KEY) is None
    for read in (store.read_bytes, store.open_range):
        with pytest.raises(ObjectMissing):
            read(KEY)
    with pytest.raises(ObjectMissing):
        store.copy(KEY, to="tenants/t_1/other")
    store.delete(KEY)


def test_a_copy_lives_on_its_own(store: ObjectStore) -> None:
    store.put_bytes(KEY, data=b"hello", content_type=WAV)
    info = store.copy(KEY, to="tenants/t_1/jobs/j_1/source")
    store.put_bytes(KEY, data=b"changed", content_type="text/plain")
    store.delete(KEY)
    assert (info.key, info.size_bytes, info.content_type) == ("tenants/t_1/jobs/j_1/source", 5, WAV)
    assert store.read_bytes(info.key) == b"hello"


def test_a_copy_replaces_what_was_there_also_when_it_is_the_same(store: ObjectStore) -> None:
    store.put_bytes(KEY, data=b"hello", content_type=WAV)
    store.put_bytes("tenants/t_1/other", data=b"old", content_type="text/plain")
    for _ in range(2):
        info = store.copy(KEY, to="tenants/t_1/other")
        assert (info.size_bytes, info.content_type, store.read_bytes(info.key)) == (5, WAV, b"hello")


def test_it_lists_in_the_order_of_keys(store: ObjectStore) -> None:
    names = ["tenants/t_1/a", "tenants/t_1/a-b", "tenants/t_1/a/b", "tenants/t_1/b/c/d", "tenants/t_10/a", "zoo/a"]
    for name in reversed(names):
        store.put_bytes(name, data=name.encode(), content_type=WAV)
    assert keys(store) == sorted(names)[:5]
    assert keys(store, "tenants/t_1/") == sorted(names)[:4]
    assert [info.size_bytes for info in store.list_prefix("zoo/")] == [5]
    assert keys(store, "none/") == []


def test_an_object_may_stand_where_a_folder_stands(store: ObjectStore) -> None:
    for name in ("tenants/a", "tenants/a/b"):
        store.put_bytes(name, data=name.encode(), content_type=WAV)
    store.delete("tenants/a")
    assert keys(store) == ["tenants/a/b"]


def test_it_deletes_a_prefix_and_nothing_beside_it(store: ObjectStore) -> None:
    for name in ("tenants/t_1/a", "tenants/t_1/b/c", "tenants/t_10/a", "tenants/t_1x"):
        store.put_bytes(name, data=b"x", content_type=WAV)
    assert store.delete_prefix("tenants/t_1/") == 2
    assert keys(store) == ["tenants/t_10/a", "tenants/t_1x"]
    assert store.delete_prefix("tenants/t_1/") == 0


def test_it_refuses_unsafe_keys_everywhere(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"x")
    calls: list[Callable[[str], object]] = [
        lambda key: store.put_bytes(key, data=b"x", content_type=WAV),
        lambda key: store.put_file(key, path=path, content_type=WAV),
        lambda key: store.open_writer(key, content_type=WAV, max_bytes=1),
        store.read_bytes,
        store.stat,
        lambda key: store.copy("a", to=key),
        lambda key: store.copy(key, to="a"),
        store.delete,
        lambda key: store.presign_put(key, size_bytes=1, content_type=WAV, expires_s=60),
        lambda key: store.presign_get(key, expires_s=60),
    ]
    for key in BAD_KEYS:
        for call in calls:
            with pytest.raises(KeyInvalid):
                call(key)


def test_it_refuses_prefixes_that_take_more_than_meant(store: ObjectStore) -> None:
    for prefix in ("", "/", "a", "../", "a/../", "a//"):
        for call in (store.delete_prefix, store.list_prefix):
            with pytest.raises(KeyInvalid):
                call(prefix)


@pytest.mark.parametrize("expires_s", [0, -1, 604_801])
def test_a_signed_url_lasts_a_week_at_most(store: ObjectStore, expires_s: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        store.presign_get(KEY, expires_s=expires_s)


def test_it_clears_what_killed_writers_left(store: ObjectStore) -> None:
    writer = store.open_writer(KEY, content_type=WAV, max_bytes=20_000_000)
    writer.write(bytes(9_000_000))
    assert store.clear_stale_writes(older_than_s=-3600) == 1
    writer.abort()


def test_it_is_ready(store: ObjectStore) -> None:
    store.ready()
