"""Objects and signed URLs; other packages import only this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.blobs import BlobApp
from storage.errors import (
    KeyInvalid,
    ObjectExists,
    ObjectMissing,
    PartsMissing,
    StorageError,
    StorageUnavailable,
    TooLarge,
)
from storage.keys import check_key
from storage.local import LocalStore
from storage.ports import CHUNK_BYTES, ObjectInfo, ObjectStore, Part, SignedRequest, Writer
from storage.s3 import S3Settings, S3Store
from storage.signing import UrlSigner

if TYPE_CHECKING:
    from storage.current import store, url_signer

__all__ = [
    "CHUNK_BYTES",
    "BlobApp",
    "KeyInvalid",
    "LocalStore",
    "ObjectExists",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "Part",
    "PartsMissing",
    "S3Settings",
    "S3Store",
    "SignedRequest",
    "StorageError",
    "StorageUnavailable",
    "TooLarge",
    "UrlSigner",
    "Writer",
    "check_key",
    "store",
    "url_signer",
]


def __getattr__(name: str) -> Any:
    # Late: `current` reads Django's settings, and the settings import `S3Settings` from here.
    if name in {"store", "url_signer"}:
        from storage import current

        return getattr(current, name)
    raise AttributeError(name)
