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
        """Where it speaks: the region's own endpoint unless another was set."""
        return self.base_url or f"https://{self.region}.tts.speech.microsoft.com"

    @property
    def hearing_url(self) -> str:
        """Where it hears: the region's own endpoint unless another was set."""
        return self.base_url or f"https://{self.region}.api.cognitive.microsoft.com"


@dataclass(frozen=True, slots=True)
class AssemblyAiSettings:
    """AssemblyAI; a key works in either region."""

    api_key: str = field(repr=False)
    region: str = "us"  # or "eu"
    base_url: str = ""

    @property
    def url(self) -> str:
        """The endpoint: the region's own unless another was set."""
        return self.base_url or f"https://api.{'eu.' if self.region == 'eu' else ''}assemblyai.com"


@dataclass(frozen=True, slots=True)
class DeepgramSettings:
    """Deepgram; `region` is only a label of `base_url`."""

    api_key: str = field(repr=False)
    region: str = "global"
    base_url: str = "https://api.deepgram.com"


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """Google Cloud Speech-to-Text v2: the text of a service account's JSON file, and where it is to hear.

    `token_url` is the operator's alone: the file's own `token_uri` is never followed, for a tenant may have sent it.
    """

    account: str = field(repr=False)
    location: str = "us"
    base_url: str = ""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

    @property
    def url(self) -> str:
        """The endpoint: the location's own unless another was set."""
        place = "" if self.location == "global" else f"{self.location}-"
        return self.base_url or f"https://{place}speech.googleapis.com"


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of this installation; None for each that is not set up."""

    polly: PollySettings | None = None
    openai: OpenAiSettings | None = None
    azure: AzureSettings | None = None
    assemblyai: AssemblyAiSettings | None = None
    deepgram: DeepgramSettings | None = None
    google: GoogleSettings | None = None
