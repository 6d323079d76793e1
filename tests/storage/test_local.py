"""What only the folder store has to prove: rights, links, crashes and races."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.facade import LocalStore, ObjectExists, ObjectMissing, StorageUnavailable, UrlSigner

KEY = "tenants/t_1/a"


def tree(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


def test_only_the_owner_may_read(local_store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    outside.chmod(0o644)
    local_store.put_file("tenants/t_1/moved", path=outside, content_type="a/b", move=True)
    local_store.put_bytes(KEY, data=b"x", content_type="text/plain")
    modes = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
        for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]
        if not path.name.endswith("%type")
    }
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_link_in_the_store_leads_nowhere(local_store: LocalStore, tmp_path: Path) -> None:
    objects = tmp_path / "store" / "objects"
    secret = tmp_path / "secret%data"
    secret.write_bytes(b"secret")
    (objects / "folder").symlink_to(tmp_path)
    (objects / "file%data").symlink_to(secret)
    for key in ("folder/secret", "file"):
        assert local_store.stat(key) is None
        with pytest.raises(ObjectMissing):
            local_store.read_bytes(key)
    with pytest.raises(StorageUnavailable):
        local_store.put_bytes("folder/new", data=b"x", content_type="a/b")
    local_store.delete("folder/secret")
    local_store.delete_prefix("folder/")
    assert secret.read_bytes() == b"secret"
    assert not (tmp_path / "new%data").exists()


def test_a_link_as_source_is_copied_not_kept(local_store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    local_store.put_file(KEY, path=tmp_path / "link", content_type="a/b", move=True)
    assert local_store.read_bytes(KEY) == b"real"
    assert (tmp_path / "real").exists()


def test_empty_folders_do_not_stay(local_store: LocalStore, tmp_path: Path) -> None:
    local_store.put_bytes("a/b/c/d", data=b"x", content_type="text/plain")
    local_store.put_bytes("a/x", data=b"x", content_type="text/plain")
    local_store.delete("a/b/c/d")
    assert sorted(path.name for path in (tmp_path / "store" / "objects").rglob("*")) == ["a", "x%data", "x%type"]
    local_store.delete_prefix("a/")
    assert list((tmp_path / "store" / "objects").iterdir()) == []


def test_a_move_to_another_place_that_fails_gives_the_file_back(local_store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "store" / "objects" / "blocked").write_bytes(b"a file where a folder is needed")
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(StorageUnavailable):
        local_store.put_file("blocked/a", path=source, content_type="a/b", move=True)
    assert source.read_bytes() == b"x"


def test_a_killed_writer_leaves_nothing_visible(local_store: LocalStore, tmp_path: Path) -> None:
    code = f"""
import os, pathlib, sys
from storage.facade import LocalStore, UrlSigner
store = LocalStore(pathlib.Path({str(tmp_path / "store")!r}), signer=UrlSigner([b"s" * 32]), base_url="")
writer = store.open_writer({KEY!r}, content_type="a/b", max_bytes=100)
writer.write(b"half")
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == -9
    assert local_store.stat(KEY) is None
    assert len(tree(tmp_path)) == 1
    assert local_store.clear_stale_writes(older_than_s=3600) == 0
    assert local_store.clear_stale_writes(older_than_s=-1) == 1
    assert tree(tmp_path) == []


def test_of_many_exclusive_writers_one_wins(local_store: LocalStore) -> None:
    writers = [local_store.open_writer(KEY, content_type="a/b", max_bytes=9, exclusive=True) for _ in range(8)]
    outcomes: list[str] = []
    barrier = threading.Barrier(len(writers))

    def commit(number: int) -> None:
        writers[number].write(str(number).encode())
        barrier.wait()
        try:
            writers[number].commit()
            outcomes.append(str(number))
        except ObjectExists:
            outcomes.append("late")

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(len(writers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome != "late"]
    assert len(winners) == 1
    assert local_store.read_bytes(KEY) == winners[0].encode()


def test_writing_and_pruning_the_same_folder_lose_nothing(local_store: LocalStore) -> None:
    failures: list[BaseException] = []

    def churn(name: str) -> None:
        try:
            for _ in range(200):
                local_store.put_bytes(f"deep/er/{name}", data=name.encode(), content_type="a/b")
                assert local_store.read_bytes(f"deep/er/{name}") == name.encode()
                local_store.delete(f"deep/er/{name}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=churn, args=(f"n{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_durable_commit_syncs_file_and_folder(
    tmp_path: Path, signer: UrlSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    durable = LocalStore(tmp_path / "durable", signer=signer, base_url="")
    durable.put_bytes("a", data=b"x", content_type="application/octet-stream")
    assert synced == [False, True]


def test_an_unusable_folder_is_told_without_its_path(tmp_path: Path, signer: UrlSigner) -> None:
    (tmp_path / "store").write_bytes(b"a file")
    for root in (tmp_path / "store", tmp_path / "store" / "below"):
        with pytest.raises(StorageUnavailable) as failure:
            LocalStore(root, signer=signer, base_url="")
        assert str(tmp_path) not in str(failure.value)


def test_no_boto3_without_s3() -> None:
    code = "import sys, storage.facade; print(sorted({'boto3', 'botocore', 'django'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
