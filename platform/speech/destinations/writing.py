"""Writing into a tenant's bucket: one object at a time, of any length, in pieces that fit into memory."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from speech.destinations.aws import bucket_client, take_on
from speech.destinations.contracts import Place
from speech.destinations.errors import DestinationError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART_BYTES: Final = 8_388_608  # S3 wants at least 5 MiB and at most 10,000 parts


def verify(place: Place, *, probe_key: str) -> None:
    """Write and delete one small object; raises `DestinationError`.

    Before that the role must refuse an external id that is not ours: one that lets anybody in could be named by
    somebody else than its owner.
    """
    _require_closed(place)
    with bucket_client(place) as client:
        client.put_object(Bucket=place.bucket, Key=probe_key, Body=b"parlance", ContentType="text/plain")
        client.delete_object(Bucket=place.bucket, Key=probe_key)


def write(place: Place, key: str, *, chunks: Iterable[bytes], content_type: str) -> None:
    """The object under this key, whole or not at all; raises `DestinationError` and whatever `chunks` raises."""
    with bucket_client(place) as client:
        pieces = _pieces(chunks)
        first = next(pieces, b"")
        if len(first) < PART_BYTES:
            client.put_object(Bucket=place.bucket, Key=key, Body=first, ContentType=content_type)
        else:
            _write_parts(client, {"Bucket": place.bucket, "Key": key}, first, pieces, content_type=content_type)


def _require_closed(place: Place) -> None:
    try:
        take_on(place, external_id=f"not-{secrets.token_hex(16)}")
    except DestinationError as error:
        if error.code != "destination_refused":
            raise
        return
    detail = "The role lets anybody in who knows its name. Let its trust policy require sts:ExternalId."
    raise DestinationError("destination_role_open", detail, field="role_arn")


def _write_parts(
    client: S3Client, where: dict[str, Any], first: bytes, rest: Iterator[bytes], *, content_type: str
) -> None:
    upload = where | {"UploadId": client.create_multipart_upload(**where, ContentType=content_type)["UploadId"]}
    try:
        parts: list[Any] = []
        for piece in _chained(first, rest):
            etag = client.upload_part(**upload, PartNumber=len(parts) + 1, Body=piece)["ETag"]
            parts.append({"ETag": etag, "PartNumber": len(parts) + 1})
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except BaseException:
        with contextlib.suppress(Exception):  # what counts is why it failed
            client.abort_multipart_upload(**upload)
        raise


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)
