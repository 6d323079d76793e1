"""The object store of this installation, from the settings: S3 when a bucket is set, else a local folder."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.conf import settings

from storage.local import LocalStore
from storage.ports import ObjectStore
from storage.s3 import S3Settings, S3Store
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
    s3 = settings.S3
    return S3Store(
        S3Settings(
            bucket=s3.bucket, region=s3.region, endpoint_url=s3.endpoint_url, access_key_id=s3.access_key_id,
            secret_access_key=s3.secret_access_key,
        )
    )  # fmt: skip
