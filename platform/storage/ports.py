"""What every object store offers; `local.py` and `s3.py` keep the same promises (one contract suite)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

CHUNK_BYTES = 262_144  # one hop to a thread per chunk: larger costs memory, smaller costs CPU
DEFAULT_CONTENT_TYPE = "application/octet-stream"
Chunk = bytes | bytearray | memoryview

MAX_EXPIRES_S = 604_800  # SigV4 allows seven days, so the local store allows no more


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A stored object; `etag` changes with the content and is unquoted."""

    key: str
    size_bytes: int
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that its holder may send without a key, with exactly these headers."""

    url: str
    method: str
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file to come that has arrived; numbers begin with 1."""

    number: int
    size_bytes: int


class Writer(Protocol):
    """Takes bytes that become visible all at once with `commit`, or not at all."""

    def write(self, chunk: Chunk) -> None:
        """Takes more bytes; raises `TooLarge` past the limit, after which nothing is kept."""

    def commit(self) -> ObjectInfo:
        """Makes the object visible; raises `ObjectExists` when an exclusive key was taken meanwhile."""

    def abort(self) -> None:
        """Forgets everything written; does nothing after `commit`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Aborts what was not committed."""


class ObjectStore(Protocol):
    """Whole objects under keys. Every method may raise `KeyInvalid` and `StorageUnavailable`."""

    def put_bytes(self, key: str, *, data: bytes, content_type: str) -> ObjectInfo:
        """Stores a small object, replacing an older one."""

    def put_file(self, key: str, *, path: Path, content_type: str, move: bool = False) -> ObjectInfo:
        """Stores a file; with `move` the file is gone afterwards (a rename where possible)."""

    def open_writer(self, key: str, *, content_type: str, max_bytes: int, exclusive: bool = False) -> Writer:
        """Starts a streamed write; `exclusive` refuses to replace an object."""

    def read_bytes(self, key: str) -> bytes:
        """Returns a small object; raises `ObjectMissing`."""

    def open_range(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Returns the bytes from `start` up to and without `end`, in chunks; raises `ObjectMissing`."""

    def fetch_to(self, key: str, *, path: Path) -> None:
        """Writes a copy to a local file, which appears only when complete; raises `ObjectMissing`."""

    def stat(self, key: str) -> ObjectInfo | None:
        """Returns what is known about an object, or None."""

    def copy(self, source: str, *, to: str) -> ObjectInfo:
        """Copies within the store, without moving bytes through us; raises `ObjectMissing`."""

    def delete(self, key: str) -> None:
        """Deletes an object; does nothing when there is none."""

    def delete_prefix(self, prefix: str) -> int:
        """Deletes everything under a prefix that ends in a slash and returns the number of objects."""

    def list_prefix(self, prefix: str) -> Iterator[ObjectInfo]:
        """Returns what is under a prefix that ends in a slash, in the order of keys."""

    def presign_put(
        self, key: str, *, size_bytes: int, content_type: str, sha256_hex: str | None = None, expires_s: int
    ) -> SignedRequest:
        """Returns a request that uploads exactly this many bytes of this type, once."""

    def presign_get(self, key: str, *, expires_s: int, filename: str | None = None) -> SignedRequest:
        """Returns a request that downloads an object, saved as `filename` when given."""

    def start_parts(self, key: str, *, content_type: str) -> str:
        """Begins a file that comes in parts and returns the name that the store gives to it."""

    def presign_part(self, key: str, *, parts_id: str, number: int, size_bytes: int, expires_s: int) -> SignedRequest:
        """Returns a request that uploads exactly this many bytes as one part; sent again, it replaces the part."""

    def list_parts(self, key: str, *, parts_id: str) -> list[Part]:
        """Returns what has arrived, in order; nothing when the parts were joined or dropped."""

    def join_parts(self, key: str, *, parts_id: str, content_type: str, sizes: Sequence[int]) -> ObjectInfo:
        """Makes one object of all parts, and nothing more can come; a second call finds it.

        Raises `PartsMissing`, and `ObjectMissing` when the parts were dropped.
        """

    def drop_parts(self, key: str, *, parts_id: str) -> None:
        """Forgets a file that was to come in parts; does nothing when there is none."""

    def allow_origins(self, origins: Collection[str]) -> None:
        """Lets pages of these origins send signed requests, where the store itself has to know them."""

    def clear_stale_writes(self, *, older_than_s: float) -> int:
        """Deletes what killed writers left behind and returns the number."""

    def ready(self) -> None:
        """Raises `StorageUnavailable` when the store cannot be written to."""


def check_expiry(expires_s: int) -> int:
    """Returns the seconds, or raises ValueError outside one second to seven days."""
    if not 1 <= expires_s <= MAX_EXPIRES_S:
        raise ValueError(f"a signed URL lasts 1 to {MAX_EXPIRES_S} s")
    return expires_s
