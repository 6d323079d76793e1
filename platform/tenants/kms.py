"""The master key in AWS KMS: it never leaves it, and each data key opens only for the tenant that it was made for.

The tenant is the encryption context, so KMS refuses a data key that was copied to another tenant, and its own log says
whose key was opened when.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final
from uuid import UUID

from tenants.errors import VaultError, VaultUnavailable

PREFIX: Final = "aws-kms://"
_OURS: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})  # wrapped for somebody else


class AwsKms:
    """`aws-kms://key-id`, an alias or an ARN. Region, credentials and endpoint are those of the AWS environment."""

    def __init__(self, reference: str) -> None:
        self._key_id = reference.removeprefix(PREFIX)

    def new_data_key(self, *, tenant_id: UUID) -> tuple[str, bytes]:
        """(version, wrapped key): KMS makes it, and here it is not even opened."""
        answer = self._call("generate_data_key_without_plaintext", KeyId=self._key_id, KeySpec="AES_256",
                            EncryptionContext=_context(tenant_id))  # fmt: skip
        return PREFIX + self._key_id, bytes(answer["CiphertextBlob"])

    def wrap(self, data_key: bytes, *, tenant_id: UUID) -> tuple[str, bytes]:
        """(version, wrapped key) of a data key that another master key had wrapped."""
        answer = self._call(
            "encrypt", KeyId=self._key_id, Plaintext=data_key, EncryptionContext=_context(tenant_id)
        )  # fmt: skip
        return PREFIX + self._key_id, bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, *, version: str, tenant_id: UUID) -> bytes:
        """The data key; raises `VaultError`."""
        answer = self._call("decrypt", KeyId=version.removeprefix(PREFIX), CiphertextBlob=wrapped,
                            EncryptionContext=_context(tenant_id))  # fmt: skip
        return bytes(answer["Plaintext"])

    def _call(self, operation: str, **values: object) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(**values)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _OURS:
                raise VaultError("the master key in KMS did not wrap this for this tenant") from None
            raise VaultUnavailable(f"KMS refused ({code}). Check the key's id, state and policy.") from None
        except BotoCoreError as error:
            raise VaultUnavailable(f"KMS does not answer ({type(error).__name__}). Check region and network.") from None

    @cached_property
    def _client(self) -> Any:
        import boto3  # only an installation on AWS pays for this import
        from botocore.config import Config

        patience = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
        return boto3.client("kms", config=patience)


def _context(tenant_id: UUID) -> dict[str, str]:
    return {"tenant": str(tenant_id)}
