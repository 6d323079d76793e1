"""What can go wrong with stored objects.

StorageError
├── ObjectMissing       object_missing
├── ObjectExists        object_exists        an exclusive write found the key taken
├── KeyInvalid          key_invalid
├── PartsMissing        parts_missing        a file in parts cannot be joined yet
├── TooLarge            too_large            more bytes than the writer may take
└── StorageUnavailable  storage_unavailable  disk full, no rights, S3 down: worth a retry

No text names a key, a path or an endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class StorageError(Exception):
    """Any failure of the object store; `code` is stable and `retryable` says if trying later can help."""

    code: ClassVar[str] = "storage_failed"
    retryable: ClassVar[bool] = False
    detail: ClassVar[str] = "The object store failed. Try again later."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)


class ObjectMissing(StorageError):
    code = "object_missing"
    detail = "There is no such object. It may have expired or been deleted; upload it again."


class ObjectExists(StorageError):
    code = "object_exists"
    detail = "The object exists already. Ask for a new upload."


class KeyInvalid(StorageError):
    code = "key_invalid"
    detail = "The object key is not allowed. Use segments of letters, digits and ._-=+@:~ joined by single slashes."


class PartsMissing(StorageError):
    """`numbers` are those of the parts that have not arrived whole."""

    code = "parts_missing"
    detail = "Not all parts have arrived. Send those that are missing."

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self.numbers = tuple(numbers)


class TooLarge(StorageError):
    code = "too_large"
    detail = "The object is larger than announced. Announce its true size."


class StorageUnavailable(StorageError):
    code = "storage_unavailable"
    retryable = True
    detail = "The object store is not usable at the moment. Try again; operators: check space, rights and endpoint."
