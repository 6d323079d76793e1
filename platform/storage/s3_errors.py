"""The faults of boto3 in our own words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from storage.errors import ObjectExists, ObjectMissing, StorageUnavailable


@contextlib.contextmanager
def s3_errors() -> Iterator[None]:
    """Turns boto3's faults into ours; `from None`, because theirs quote keys and endpoints."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _translated(error.response) from None
    except BotoCoreError:
        raise StorageUnavailable from None


def _translated(response: Any) -> Exception:
    code = response.get("Error", {}).get("Code", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in {"PreconditionFailed", "ConditionalRequestConflict"} or status == 412:
        return ObjectExists()
    if code != "NoSuchBucket" and (status == 404 or code in {"NoSuchKey", "404"}):
        return ObjectMissing()
    return StorageUnavailable()
