"""What the operator has set up of other companies' engines: credentials and addresses, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PollySettings:
    """Amazon Polly; without keys the usual AWS chain (role, profile) is asked."""

    region: str = "ap-northeast-2"
    base_url: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The endpoint: the region's own unless another was set."""
        return self.base_url or f"https://polly.{self.region}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class OpenAiSettings:
    """OpenAI, or a service that speaks like it."""

    api_key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class AzureSettings:
    """Azure Speech."""

    key: str = field(repr=False)
    region: str
    base_url: str = ""

    @property
    def url(self) -> str:
        """The endpoint: the region's own unless another was set."""
        return self.base_url or f"https://{self.region}.tts.speech.microsoft.com"


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of this installation; None for each that is not set up."""

    polly: PollySettings | None = None
    openai: OpenAiSettings | None = None
    azure: AzureSettings | None = None
