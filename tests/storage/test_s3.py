"""What only S3 has to prove. moto checks no signature, so the signed parts are read from the URL itself."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from storage.facade import S3Store, StorageUnavailable
from tests.storage.conftest import s3_settings

KEY = "tenants/t_1/a"


def test_a_signed_put_binds_length_type_checksum_and_single_use(s3_store: S3Store) -> None:
    request = s3_store.presign_put(KEY, size_bytes=5, content_type="audio/wav", sha256_hex="ab" * 32, expires_s=60)
    signed = parse_qs(urlsplit(request.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert set(signed) == {"content-length", "content-type", "host", "if-none-match", "x-amz-checksum-sha256"}
    assert {name.lower() for name in request.headers} == set(signed) - {"host"}
    assert parse_qs(urlsplit(request.url).query)["X-Amz-Expires"] == ["60"]


def test_signed_requests_move_the_bytes(s3_store: S3Store) -> None:
    put = s3_store.presign_put(KEY, size_bytes=5, content_type="audio/wav", expires_s=60)
    assert httpx.put(put.url, headers=put.headers, content=b"hello").status_code == 200
    assert httpx.put(put.url, headers=put.headers, content=b"again").status_code == 412
    got = httpx.get(s3_store.presign_get(KEY, expires_s=60, filename="회의.wav").url)
    assert (got.content, got.headers["content-type"]) == (b"hello", "audio/wav")
    assert "filename*=UTF-8''%ED%9A%8C%EC%9D%98.wav" in got.headers["content-disposition"]


def test_a_service_without_conditions_gets_none(s3_endpoint: str) -> None:
    settings = s3_settings(s3_endpoint, bucket="some-bucket", conditional_writes=False)
    put = S3Store(settings).presign_put(KEY, size_bytes=5, content_type="audio/wav", expires_s=60)
    assert "if-none-match" not in put.url + "".join(put.headers).lower()


def test_a_missing_bucket_is_an_unusable_store(s3_endpoint: str) -> None:
    store = S3Store(s3_settings(s3_endpoint, bucket="no-such-bucket"))
    for call in (store.ready, lambda: store.put_bytes(KEY, data=b"x", content_type="a/b")):
        with pytest.raises(StorageUnavailable):
            call()


def test_an_unreachable_service_is_told_without_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    store = S3Store(s3_settings(endpoint, bucket="some-bucket", connect_timeout_s=0.5, attempts=1))
    with pytest.raises(StorageUnavailable) as failure:
        store.stat(KEY)
    assert str(port) not in f"{failure.value}{failure.value.__cause__}"


def test_the_secret_is_not_shown() -> None:
    assert "testing" not in repr(s3_settings("http://x", bucket="some-bucket")).replace("access_key_id='testing'", "")
