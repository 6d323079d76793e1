"""Both stores: a fresh local folder, and S3 as moto_server in a process of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from storage.facade import LocalStore, ObjectStore, S3Settings, S3Store, UrlSigner
from tests.fakes.moto import moto

SECRET = b"s" * 32


@pytest.fixture
def signer() -> UrlSigner:
    return UrlSigner([SECRET])


@pytest.fixture
def local_store(tmp_path: Path, signer: UrlSigner) -> LocalStore:
    return LocalStore(tmp_path / "store", signer=signer, base_url="http://localhost", durable=False)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    chosen: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return chosen


@pytest.fixture
def s3_store(s3_endpoint: str) -> S3Store:
    return S3Store(s3_settings(s3_endpoint, bucket=new_bucket(s3_endpoint)))


def s3_settings(endpoint: str, *, bucket: str, **more: float) -> S3Settings:
    return S3Settings(
        bucket=bucket,
        endpoint_url=endpoint,
        access_key_id="testing",
        secret_access_key="testing",
        path_style=True,
        **more,  # type: ignore[arg-type]  # timeouts only
    )


def new_bucket(endpoint: str) -> str:
    name = f"bucket-{uuid.uuid4()}"
    session = boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    client = session.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with moto() as endpoint:
        yield endpoint
