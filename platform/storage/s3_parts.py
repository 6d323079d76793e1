"""Files that customers send to S3 in parts: what has arrived of one, joining it, and who may send."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.errors import PartsMissing
from storage.s3_errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ArrivedPart:
    """What S3 tells of a part."""

    size_bytes: int
    etag: str


def arrived(client: S3Client, *, bucket: str, key: str, parts_id: str) -> dict[int, ArrivedPart]:
    """By number, in order; raises `ObjectMissing` when they were joined or dropped."""
    found: dict[int, ArrivedPart] = {}
    with s3_errors():
        for page in client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=parts_id):
            for part in page.get("Parts", []):
                found[part["PartNumber"]] = ArrivedPart(part["Size"], part["ETag"])
    return dict(sorted(found.items()))


def join(
    client: S3Client, *, bucket: str, key: str, parts_id: str, sizes: Sequence[int], condition: dict[str, Any]
) -> None:
    """Raises `PartsMissing`; `ObjectMissing` or `ObjectExists` when somebody joined or dropped them before."""
    found = arrived(client, bucket=bucket, key=key, parts_id=parts_id)
    expected = dict(enumerate(sizes, start=1))
    missing = [number for number, size in expected.items() if number not in found or found[number].size_bytes != size]
    if missing:
        raise PartsMissing(missing)
    with s3_errors():
        client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=parts_id,
            MultipartUpload={"Parts": [{"PartNumber": number, "ETag": found[number].etag} for number in expected]},
            **condition,
        )  # fmt: skip


def cors_rule(origins: Collection[str]) -> Any:
    """What a page needs to use signed URLs; headers are bound by the signature, so any may be named."""
    return {
        "AllowedOrigins": sorted(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 600,
    }
