"""The object store of this installation, from the settings: S3 when a bucket is set, else a local folder."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.conf import settings

from storage.local import LocalStore
from storage.ports import ObjectStore
from storage.s3 import S3Store
from storage.signing import UrlSigner


@lru_cache(maxsize=1)
def url_signer() -> UrlSigner:
    """Signs URLs of the local store with a key derived from the installation's secret."""
    return UrlSigner([hashlib.sha256(b"blob-urls|" + settings.SECRET_KEY.encode()).digest()])


@lru_cache(maxsize=1)
def store() -> ObjectStore:
    """The one store of this process."""
    if settings.S3 is None:
        return LocalStore(settings.STORAGE_DIR, signer=url_signer(), base_url=settings.PUBLIC_URL)
    return S3Store(settings.S3)
