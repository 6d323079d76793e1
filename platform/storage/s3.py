"""Objects in S3 or anything that speaks it (SigV4). boto3 is loaded at the first call, not at import."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import s3_parts
from storage.errors import ObjectExists, ObjectMissing, StorageUnavailable
from storage.keys import check_key, check_prefix
from storage.local_entries import save_chunks
from storage.ports import CHUNK_BYTES, DEFAULT_CONTENT_TYPE, ObjectInfo, Part, SignedRequest, check_expiry
from storage.ranges import attachment
from storage.s3_errors import s3_errors
from storage.s3_writer import S3Writer

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECTIONS = 50  # more threads than this wait for a free one


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where the bucket is; without keys the usual AWS chain (role, profile, environment) is asked.

    `conditional_writes=False` is for services without If-None-Match: an upload URL is then not single use.
    """

    bucket: str
    region: str = "us-east-1"
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    path_style: bool = False
    conditional_writes: bool = True
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    attempts: int = 3


class S3Store:
    """Keeps objects in one bucket; share it between threads, it makes a client of its own after a fork."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._lock = threading.Lock()
        self._made: tuple[int, S3Client] | None = None

    def put_bytes(self, key: str, *, data: bytes, content_type: str) -> ObjectInfo:
        with s3_errors():
            answer = self._client().put_object(
                Bucket=self._bucket, Key=check_key(key), Body=data, ContentType=content_type
            )
        return ObjectInfo(key, len(data), content_type, answer["ETag"].strip('"'))

    def put_file(self, key: str, *, path: Path, content_type: str, move: bool = False) -> ObjectInfo:
        size_bytes = path.stat().st_size
        with path.open("rb") as source, self.open_writer(key, content_type=content_type, max_bytes=size_bytes) as out:
            while chunk := source.read(CHUNK_BYTES):
                out.write(chunk)
            info = out.commit()
        if move:
            path.unlink()
        return info

    def open_writer(self, key: str, *, content_type: str, max_bytes: int, exclusive: bool = False) -> S3Writer:
        if exclusive and self.stat(key) is not None:
            raise ObjectExists
        return S3Writer(
            self._client(),
            bucket=self._bucket,
            key=check_key(key),
            content_type=content_type,
            max_bytes=max_bytes,
            condition={"IfNoneMatch": "*"} if exclusive and self._settings.conditional_writes else {},
        )

    def read_bytes(self, key: str) -> bytes:
        return b"".join(self.open_range(key))

    def open_range(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        info = self.stat(key)
        if info is None:
            raise ObjectMissing
        last = min(info.size_bytes, info.size_bytes if end is None else end) - 1
        return self._chunks(key, first=start, last=last) if start <= last else iter(())

    def fetch_to(self, key: str, *, path: Path) -> None:
        save_chunks(self.open_range(key), path=path)

    def stat(self, key: str) -> ObjectInfo | None:
        try:
            with s3_errors():
                answer = self._client().head_object(Bucket=self._bucket, Key=check_key(key))
        except ObjectMissing:
            return None
        content_type = answer.get("ContentType", DEFAULT_CONTENT_TYPE)
        return ObjectInfo(key, answer["ContentLength"], content_type, answer["ETag"].strip('"'))

    def copy(self, source: str, *, to: str) -> ObjectInfo:
        check_key(to)
        info = self.stat(source)
        if info is None:
            raise ObjectMissing
        with s3_errors():
            # The managed copy also takes objects over 5 GB, but loses the type there: state it.
            self._client().copy(
                {"Bucket": self._bucket, "Key": source},
                self._bucket,
                to,
                ExtraArgs={"ContentType": info.content_type, "MetadataDirective": "REPLACE"},
            )
        copied = self.stat(to)
        if copied is None:
            raise ObjectMissing
        return copied

    def delete(self, key: str) -> None:
        with s3_errors():
            self._client().delete_object(Bucket=self._bucket, Key=check_key(key))

    def delete_prefix(self, prefix: str) -> int:
        removed = 0
        for keys in self._pages_of_keys(check_prefix(prefix)):
            with s3_errors():
                answer = self._client().delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )
            if answer.get("Errors"):
                raise StorageUnavailable
            removed += len(keys)
        return removed

    def list_prefix(self, prefix: str) -> Iterator[ObjectInfo]:
        # S3 does not list types: one more call for each object.
        return self._described(check_prefix(prefix))

    def presign_put(
        self, key: str, *, size_bytes: int, content_type: str, sha256_hex: str | None = None, expires_s: int
    ) -> SignedRequest:
        params = {"Key": check_key(key), "ContentLength": size_bytes, "ContentType": content_type}
        headers = {"Content-Type": content_type, "Content-Length": str(size_bytes)}
        if sha256_hex is not None:
            checksum = base64.b64encode(bytes.fromhex(sha256_hex)).decode()
            params["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = checksum
        if self._settings.conditional_writes:
            params["IfNoneMatch"] = headers["If-None-Match"] = "*"
        return self._presign("put_object", method="PUT", params=params, headers=headers, expires_s=expires_s)

    def presign_get(self, key: str, *, expires_s: int, filename: str | None = None) -> SignedRequest:
        params = {"Key": check_key(key)}
        if filename is not None:
            params["ResponseContentDisposition"] = attachment(filename)
        return self._presign("get_object", method="GET", params=params, headers={}, expires_s=expires_s)

    def start_parts(self, key: str, *, content_type: str) -> str:
        with s3_errors():
            return self._client().create_multipart_upload(
                Bucket=self._bucket, Key=check_key(key), ContentType=content_type
            )["UploadId"]

    def presign_part(self, key: str, *, parts_id: str, number: int, size_bytes: int, expires_s: int) -> SignedRequest:
        params = {"Key": check_key(key), "UploadId": parts_id, "PartNumber": number, "ContentLength": size_bytes}
        headers = {"Content-Length": str(size_bytes)}
        return self._presign("upload_part", method="PUT", params=params, headers=headers, expires_s=expires_s)

    def list_parts(self, key: str, *, parts_id: str) -> list[Part]:
        try:
            found = s3_parts.arrived(self._client(), bucket=self._bucket, key=check_key(key), parts_id=parts_id)
        except ObjectMissing:
            return []
        return [Part(number, part.size_bytes) for number, part in found.items()]

    def join_parts(self, key: str, *, parts_id: str, content_type: str, sizes: Sequence[int]) -> ObjectInfo:
        condition = {"IfNoneMatch": "*"} if self._settings.conditional_writes else {}
        with contextlib.suppress(ObjectExists, ObjectMissing):  # joined by another: it is there, or never will be
            s3_parts.join(
                self._client(), bucket=self._bucket, key=check_key(key), parts_id=parts_id, sizes=sizes,
                condition=condition,
            )  # fmt: skip
        info = self.stat(key)
        if info is None:
            raise ObjectMissing
        return info

    def drop_parts(self, key: str, *, parts_id: str) -> None:
        with contextlib.suppress(ObjectMissing), s3_errors():
            self._client().abort_multipart_upload(Bucket=self._bucket, Key=check_key(key), UploadId=parts_id)

    def allow_origins(self, origins: Collection[str]) -> None:
        with s3_errors():
            if not origins:
                self._client().delete_bucket_cors(Bucket=self._bucket)
                return
            self._client().put_bucket_cors(
                Bucket=self._bucket, CORSConfiguration={"CORSRules": [s3_parts.cors_rule(origins)]}
            )

    def clear_stale_writes(self, *, older_than_s: float) -> int:
        oldest = datetime.now(UTC) - timedelta(seconds=older_than_s)
        cleared = 0
        with s3_errors():
            for page in self._client().get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
                stale = [upload for upload in page.get("Uploads", []) if upload["Initiated"] < oldest]
                for upload in stale:
                    self._client().abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                cleared += len(stale)
        return cleared

    def ready(self) -> None:
        try:
            with s3_errors():
                self._client().head_bucket(Bucket=self._bucket)
        except ObjectMissing:
            raise StorageUnavailable from None

    def _chunks(self, key: str, *, first: int, last: int) -> Iterator[bytes]:
        with s3_errors():
            answer = self._client().get_object(Bucket=self._bucket, Key=key, Range=f"bytes={first}-{last}")
            with contextlib.closing(answer["Body"]) as body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def _pages_of_keys(self, prefix: str) -> Iterator[list[str]]:
        with s3_errors():
            for page in self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                if keys := [found["Key"] for found in page.get("Contents", [])]:
                    yield keys

    def _described(self, prefix: str) -> Iterator[ObjectInfo]:
        for keys in self._pages_of_keys(prefix):
            for key in keys:
                if (info := self.stat(key)) is not None:
                    yield info

    def _presign(
        self, operation: str, *, method: str, params: dict[str, Any], headers: dict[str, str], expires_s: int
    ) -> SignedRequest:
        expires_at = datetime.now(UTC) + timedelta(seconds=check_expiry(expires_s))
        url = self._client().generate_presigned_url(
            operation, Params={"Bucket": self._bucket, **params}, ExpiresIn=expires_s
        )
        return SignedRequest(url, method, headers, expires_at)

    def _client(self) -> S3Client:
        # One client for all threads (boto3 allows that and building one costs far more than a call),
        # but never across a fork: parent and child would read each other's answers.
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = (os.getpid(), _build(self._settings))
            return self._made[1]


def _build(settings: S3Settings) -> S3Client:
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path" if settings.path_style else "auto"},
        # Newer boto3 adds CRC32 everywhere, which older S3-compatible services refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=config,
    )
