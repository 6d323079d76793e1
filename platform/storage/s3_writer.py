"""A streamed write into S3: one request for small objects, a multipart upload for large ones."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from storage.errors import StorageError, StorageUnavailable, TooLarge
from storage.ports import Chunk, ObjectInfo
from storage.s3_errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART_BYTES = 8_388_608  # S3 wants at least 5 MiB and at most 10,000 parts: good for 80 GB


class S3Writer:
    """Holds at most one part in memory; nothing is visible before `commit`."""

    def __init__(
        self,
        client: S3Client,
        *,
        bucket: str,
        key: str,
        content_type: str,
        max_bytes: int,
        condition: dict[str, Any],
    ) -> None:
        self._client = client
        self._where: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._content_type = content_type
        self._max_bytes = max_bytes
        self._condition = condition
        self._buffer = bytearray()
        self._size_bytes = 0
        self._upload_id: str | None = None
        self._parts: list[Any] = []
        self._done = False

    def write(self, chunk: Chunk) -> None:
        self._require_open()
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            self.abort()
            raise TooLarge
        self._buffer += chunk
        while len(self._buffer) >= PART_BYTES:
            self._send_part(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    def commit(self) -> ObjectInfo:
        self._require_open()
        try:
            etag = self._put_whole() if self._upload_id is None else self._complete()
        except BaseException:
            self.abort()
            raise
        self._done = True
        return ObjectInfo(self._where["Key"], self._size_bytes, self._content_type, etag.strip('"'))

    def abort(self) -> None:
        if self._done:
            return
        self._done = True
        if self._upload_id is not None:
            with contextlib.suppress(StorageError), s3_errors():
                self._client.abort_multipart_upload(**self._where, UploadId=self._upload_id)

    def _require_open(self) -> None:
        if self._done:
            raise ValueError("the writer is closed")

    def _send_part(self, data: bytes) -> None:
        with s3_errors():
            if self._upload_id is None:
                started = self._client.create_multipart_upload(**self._where, ContentType=self._content_type)
                self._upload_id = started["UploadId"]
            number = len(self._parts) + 1
            answer = self._client.upload_part(**self._where, UploadId=self._upload_id, PartNumber=number, Body=data)
        self._parts.append({"ETag": answer["ETag"], "PartNumber": number})

    def _put_whole(self) -> str:
        with s3_errors():
            return self._client.put_object(
                **self._where, Body=bytes(self._buffer), ContentType=self._content_type, **self._condition
            )["ETag"]

    def _complete(self) -> str:
        if self._buffer:
            self._send_part(bytes(self._buffer))
        if self._upload_id is None:
            raise StorageUnavailable
        with s3_errors():
            return self._client.complete_multipart_upload(
                **self._where,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
                **self._condition,
            )["ETag"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
