"""What the routes of own credentials take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from apikit.facade import Body
from speech.own_credentials.contracts import MAX_SECRET_BYTES

Provider = Literal["assemblyai", "deepgram", "google", "openai", "azure"]
Secret = Annotated[SecretStr, Field(min_length=8, max_length=MAX_SECRET_BYTES)]


class ProviderCredentialIn(Body):
    """Your own credentials at a provider. They are tried there, sealed, and never shown again."""

    provider: Provider
    secret: Secret = Field(description="The API key; of Google the JSON file of a service account, as text.")
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,40}$")] = Field(
        default="", description="AssemblyAI: us or eu. Google: a location. Azure: the resource's region. Others: none."
    )
    name: str = Field(default="", max_length=100, description="For people.")


class ProviderCredentialRotateIn(Body):
    """The secret that replaces the one before."""

    secret: Secret


class ProviderCredentialOut(BaseModel):
    """Credentials, without their secret: `last4` is all that is ever shown of it."""

    id: str
    object: Literal["provider_credential"]
    livemode: bool
    provider: Provider
    region: str | None
    name: str
    last4: str
    status: Literal["working", "failing"]
    failing_since: str | None
    failing_code: str | None
    checked_at: str
    rotated_at: str | None
    created: str


class ProviderCredentialListOut(BaseModel):
    object: Literal["list"]
    data: list[ProviderCredentialOut]
    has_more: bool
    next_cursor: str | None


class ProviderCredentialDeletedOut(BaseModel):
    id: str
    object: Literal["provider_credential"]
    deleted: Literal[True]
