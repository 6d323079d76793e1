"""AWS KMS as moto, and the master key of this process in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from django.conf import settings

from tenants import vault
from tenants.models import DataKey

NOWHERE = "http://127.0.0.1:1"


def forget() -> None:
    """As a process that has just started: no data key is open."""
    vault._opened.clear()
    vault.master_keys.cache_clear()


@contextmanager
def master_key_in_kms(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new key in KMS makes and opens the data keys of tenants that are made in the block."""
    for name, value in {"AWS_ENDPOINT_URL_KMS": endpoint, "AWS_REGION": "ap-northeast-2",
                        "AWS_DEFAULT_REGION": "ap-northeast-2", "AWS_ACCESS_KEY_ID": "a",
                        "AWS_SECRET_ACCESS_KEY": "b"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("kms")
    monkeypatch.setattr(settings, "MASTER_KEYS", f"aws-kms://{client.create_key()['KeyMetadata']['KeyId']}")
    client.close()
    forget()
    yield
    DataKey.objects.using("owner").filter(master_version__startswith="aws-kms://").delete()
