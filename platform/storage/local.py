"""Objects in a local folder: the embedded default.

The key is the path below `objects/`; the last segment becomes `NAME%data`, and `NAME%type` when the content
type is not what the name's ending stands for. "%" cannot stand in a key, so an object never collides with a folder
or a type. Types are small files because user attributes are missing on some file systems (tmpfs, NFS) and lost by
many backups.
Data and type lie side by side and are written type first: an object is there once its data is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from storage import folders
from storage.errors import ObjectExists, ObjectMissing, PartsMissing, StorageUnavailable
from storage.keys import check_key, check_prefix
from storage.local_entries import DATA, TYPE, content_type_of, describe, disk_errors, save_chunks
from storage.local_parts import LocalParts
from storage.local_places import Put, place_file, place_link
from storage.local_writer import LocalWriter
from storage.ports import CHUNK_BYTES, ObjectInfo, Part, SignedRequest, check_expiry
from storage.signing import Grant, UrlSigner

LOCAL_PARTS = "local"  # a file in parts needs no other name than its key
PLACE_TRIES = 100  # a neighbour may prune the folder between its creation and the rename into it


class LocalStore:
    """Keeps objects below `root` (0700) and signs URLs for them below `base_url`.

    `durable=False` leaves out fsync: for tests and throw-away data only.
    """

    def __init__(self, root: Path, *, signer: UrlSigner, base_url: str, durable: bool = True) -> None:
        self._root = root
        self._objects = root / "objects"
        self._temporary = root / "tmp"
        self._signer = signer
        self._base_url = base_url.rstrip("/")
        self._durable = durable
        self._parts = LocalParts(self._objects, durable=durable)
        with disk_errors():
            for folder in (root, self._objects, self._temporary):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put_bytes(self, key: str, *, data: bytes, content_type: str) -> ObjectInfo:
        with self.open_writer(key, content_type=content_type, max_bytes=len(data)) as writer:
            writer.write(data)
            return writer.commit()

    def put_file(self, key: str, *, path: Path, content_type: str, move: bool = False) -> ObjectInfo:
        check_key(key)
        if move and (adopted := self._adopt(path)) is not None:
            try:
                return self._publish(partial(place_file, adopted), key=key, content_type=content_type)
            except BaseException:
                adopted.rename(path)
                raise
        size_bytes = path.stat().st_size
        with (
            path.open("rb") as source,
            self.open_writer(key, content_type=content_type, max_bytes=size_bytes) as writer,
        ):
            while chunk := source.read(CHUNK_BYTES):
                writer.write(chunk)
            info = writer.commit()
        if move:
            path.unlink()
        return info

    def open_writer(self, key: str, *, content_type: str, max_bytes: int, exclusive: bool = False) -> LocalWriter:
        check_key(key)
        if exclusive and self.stat(key) is not None:
            raise ObjectExists
        return LocalWriter(
            self._new_temporary(),
            max_bytes=max_bytes,
            durable=self._durable,
            publish=lambda path: self._publish(
                partial(place_file, path, exclusive=exclusive), key=key, content_type=content_type, exclusive=exclusive
            ),
        )

    def read_bytes(self, key: str) -> bytes:
        return b"".join(self._chunks(key, start=0, end=None))

    def open_range(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if self.stat(key) is None:
            raise ObjectMissing
        return self._chunks(key, start=start, end=end)

    def fetch_to(self, key: str, *, path: Path) -> None:
        save_chunks(self.open_range(key), path=path)

    def stat(self, key: str) -> ObjectInfo | None:
        try:
            with self._folder(key) as (folder, name):
                return describe(key, folder=folder, name=name)
        except ObjectMissing:
            return None

    def copy(self, source: str, *, to: str) -> ObjectInfo:
        # A second name for the same bytes: objects are replaced, never changed in place.
        check_key(to)
        with self._folder(source) as (folder, name):
            content_type = content_type_of(folder, name=name)
            put = partial(place_link, folder, name, spare=self._new_temporary())
            return self._publish(put, key=to, content_type=content_type)

    def delete(self, key: str) -> None:
        with contextlib.suppress(ObjectMissing), self._folder(key) as (folder, name):
            for suffix in (DATA, TYPE):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name + suffix, dir_fd=folder)
            self._sync(folder)
        self._prune(key.split("/")[:-1])

    def delete_prefix(self, prefix: str) -> int:
        *parents, name = check_prefix(prefix)[:-1].split("/")
        removed = 0
        with (
            disk_errors(),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            folders.opened(self._objects, folders=parents) as parent,
        ):
            removed = folders.remove_tree(name, parent=parent, counted=DATA)
            self._sync(parent)
        self._prune(parents)
        return removed

    def list_prefix(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._list(check_prefix(prefix)[:-1].split("/"))

    def presign_put(
        self, key: str, *, size_bytes: int, content_type: str, sha256_hex: str | None = None, expires_s: int
    ) -> SignedRequest:
        grant = Grant("PUT", check_key(key), self._expiry(expires_s), size_bytes, content_type, sha256_hex)
        return self._signed(grant, headers={"Content-Type": content_type, "Content-Length": str(size_bytes)})

    def presign_get(self, key: str, *, expires_s: int, filename: str | None = None) -> SignedRequest:
        return self._signed(Grant("GET", check_key(key), self._expiry(expires_s), filename=filename), headers={})

    def start_parts(self, key: str, *, content_type: str) -> str:
        self._parts.start(key)
        return LOCAL_PARTS

    def presign_part(self, key: str, *, parts_id: str, number: int, size_bytes: int, expires_s: int) -> SignedRequest:
        grant = Grant("PUT", check_key(key), self._expiry(expires_s), size_bytes, part=number)
        return self._signed(grant, headers={"Content-Length": str(size_bytes)})

    def open_part(self, key: str, *, number: int, max_bytes: int) -> LocalWriter:
        """Starts a streamed write of a part; raises `ObjectMissing` when none can come any more."""
        self._parts.arrived(key)
        return LocalWriter(
            self._new_temporary(),
            max_bytes=max_bytes,
            durable=self._durable,
            publish=lambda path: self._parts.publish(path, key=key, number=number),
        )

    def list_parts(self, key: str, *, parts_id: str) -> list[Part]:
        try:
            return self._parts.arrived(key)
        except ObjectMissing:
            return []

    def join_parts(self, key: str, *, parts_id: str, content_type: str, sizes: Sequence[int]) -> ObjectInfo:
        joined = self.stat(key) or self._join(key, content_type=content_type, sizes=sizes)
        self._parts.drop(key)
        return joined

    def drop_parts(self, key: str, *, parts_id: str) -> None:
        self._parts.drop(key)
        self._prune(key.split("/")[:-1])

    def allow_origins(self, origins: Collection[str]) -> None:
        """`BlobApp` asks for itself."""

    def clear_stale_writes(self, *, older_than_s: float) -> int:
        oldest = time.time() - older_than_s
        cleared = 0
        with disk_errors():
            for path in self._temporary.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if path.lstat().st_mtime < oldest:
                        path.unlink()
                        cleared += 1
        return cleared

    def ready(self) -> None:
        with disk_errors():
            probe = self._new_temporary()
            probe.write_bytes(b"ready")
            probe.unlink()

    def _join(self, key: str, *, content_type: str, sizes: Sequence[int]) -> ObjectInfo:
        found = {part.number: part.size_bytes for part in self._parts.arrived(key)}
        missing = [number for number, size in enumerate(sizes, start=1) if found.get(number) != size]
        if missing:
            raise PartsMissing(missing)
        try:
            with self.open_writer(key, content_type=content_type, max_bytes=sum(sizes), exclusive=True) as writer:
                for number in range(1, len(sizes) + 1):
                    for chunk in self._parts.chunks(key, number=number):
                        writer.write(chunk)
                return writer.commit()
        except (ObjectExists, ObjectMissing):  # joined by another meanwhile
            if (info := self.stat(key)) is None:
                raise ObjectMissing from None
            return info

    def _adopt(self, path: Path) -> Path | None:
        """Renames a file into the store's own folder; None when it lies on another file system."""
        temporary = self._new_temporary()
        if path.is_symlink():
            return None
        try:
            path.rename(temporary)
        except OSError:
            return None
        with disk_errors(), temporary.open("rb") as file:
            temporary.chmod(0o600)
            self._sync(file.fileno())
        return temporary

    def _publish(self, put: Put, *, key: str, content_type: str, exclusive: bool = False) -> ObjectInfo:
        with disk_errors():
            for _ in range(PLACE_TRIES):
                with contextlib.suppress(FileNotFoundError):
                    return self._place(put, key=key, content_type=content_type, exclusive=exclusive)
        raise StorageUnavailable

    def _place(self, put: Put, *, key: str, content_type: str, exclusive: bool) -> ObjectInfo:
        *parents, name = key.split("/")
        with folders.opened(self._objects, folders=parents, create=True, durable=self._durable) as folder:
            if exclusive and describe(key, folder=folder, name=name) is not None:
                raise ObjectExists
            self._place_type(content_type, folder=folder, name=name)
            put(folder, name)
            self._sync(folder)
            info = describe(key, folder=folder, name=name, content_type=content_type)
        if info is None:
            raise ObjectMissing  # deleted by someone else in this moment
        return info

    def _place_type(self, content_type: str, *, folder: int, name: str) -> None:
        if content_type == content_type_of(folder, name=name):
            return
        temporary = self._new_temporary()
        with temporary.open("xb") as file:
            file.write(content_type.encode())
            file.flush()
            self._sync(file.fileno())
        os.replace(temporary, name + TYPE, dst_dir_fd=folder)

    @contextlib.contextmanager
    def _folder(self, key: str) -> Iterator[tuple[int, str]]:
        *parents, name = check_key(key).split("/")
        with disk_errors():
            try:
                with folders.opened(self._objects, folders=parents) as folder:
                    yield folder, name
            except (FileNotFoundError, NotADirectoryError):
                raise ObjectMissing from None

    def _chunks(self, key: str, *, start: int, end: int | None) -> Iterator[bytes]:
        with self._folder(key) as (folder, name):
            descriptor = folders.open_file(name + DATA, folder=folder)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor, not a path
            file.seek(start)
            left = os.fstat(descriptor).st_size - start if end is None else end - start
            while left > 0 and (chunk := file.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    def _list(self, parents: list[str]) -> Iterator[ObjectInfo]:
        with disk_errors():
            try:
                with folders.opened(self._objects, folders=parents) as folder:
                    names = sorted(folders.names(folder, marked=DATA))
                    found = [self._found(parents, name=name, folder=folder) for name in names]
            except (FileNotFoundError, NotADirectoryError):
                return
        for name, info in zip(names, found, strict=True):
            if info is not None:
                yield info
            elif name.endswith("/"):
                yield from self._list([*parents, name[:-1]])

    def _found(self, parents: list[str], *, name: str, folder: int) -> ObjectInfo | None:
        if name.endswith("/"):
            return None
        return describe("/".join([*parents, name]), folder=folder, name=name)

    def _prune(self, parents: list[str]) -> None:
        """Removes folders that became empty, deepest first; a folder in use stays."""
        for depth in range(len(parents), 0, -1):
            try:
                with folders.opened(self._objects, folders=parents[: depth - 1]) as folder:
                    os.rmdir(parents[depth - 1], dir_fd=folder)
            except OSError:
                return

    def _new_temporary(self) -> Path:
        return self._temporary / secrets.token_hex(16)

    def _sync(self, descriptor: int) -> None:
        if self._durable:
            os.fsync(descriptor)

    def _expiry(self, expires_s: int) -> int:
        return self._signer.now_s() + check_expiry(expires_s)

    def _signed(self, grant: Grant, *, headers: dict[str, str]) -> SignedRequest:
        expires_at = datetime.fromtimestamp(grant.expires_at_s, tz=UTC)
        return SignedRequest(self._base_url + self._signer.sign(grant), grant.method, headers, expires_at)
