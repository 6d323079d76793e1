"""Which engines of providers there are in this installation, and which voices: those that the operator has set up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings

from speech.engines import whisper
from speech.engines.ports import CloudSpeechToText
from speech.engines.providers import (
    AssemblyAiSettings,
    AzureSettings,
    DeepgramSettings,
    GoogleSettings,
    OpenAiSettings,
    PollySettings,
    Providers,
)
from speech.engines.registry import hearers_with
from speech.engines.speakers import speakers_with
from speech.engines.speaking import TextToSpeech
from speech.own_credentials import engines as own_engines
from speech.own_credentials.contracts import is_own
from tenants.facade import current_tenant


@lru_cache(maxsize=1)
def speakers() -> dict[str, TextToSpeech]:
    """The speaking engines of this process by name; they are kept, and with them connections to their providers."""
    return speakers_with(_providers())


def hearers() -> Mapping[str, CloudSpeechToText]:
    """The providers' engines that hear, by name: the operator's, and in their place the current tenant's own."""
    tenant_id = current_tenant().id
    own = own_engines.engines_of(tenant_id, installed=installed()) if tenant_id else {}
    return {**hearers_of_the_operator(), **own} if own else hearers_of_the_operator()


@lru_cache(maxsize=1)
def installed() -> Providers:
    """What the operator has set up."""
    return _providers()


@lru_cache(maxsize=1)
def hearers_of_the_operator() -> Mapping[str, CloudSpeechToText]:
    """The hearing engines that the operator has set up; kept like `speakers`."""
    return hearers_with(installed())


def hearer(engine: str, *, own: bool) -> CloudSpeechToText | None:
    """A provider's engine on the account that a job's route has chosen: the tenant's `own` or the operator's.

    None when there is none (any more): nobody's account takes the place of another's.
    """
    if not own:
        return hearers_of_the_operator().get(engine)
    found = hearers().get(engine)
    return found if found is not None and is_own(found.capabilities.executor) else None


def executor_of(engine: str) -> str:
    """Who runs an engine's parts: calls to a provider count together, whichever of its engines is meant."""
    pool = whisper.executor_of(engine)
    if pool is not None:
        return pool
    found = hearers().get(engine) or speakers().get(engine)
    return (found.capabilities.executor if found else "") or f"local:{engine}"


def _providers() -> Providers:
    return Providers(
        polly=_polly(), openai=_openai(), azure=_azure(), assemblyai=_assemblyai(), deepgram=_deepgram(),
        google=_google(),
    )  # fmt: skip


def _polly() -> PollySettings | None:
    if not settings.POLLY_REGION:
        return None
    return PollySettings(
        region=settings.POLLY_REGION,
        base_url=settings.POLLY_BASE_URL,
        access_key_id=settings.AWS_ACCESS_KEY_ID,
        secret_access_key=settings.AWS_SECRET_ACCESS_KEY,
        session_token=settings.AWS_SESSION_TOKEN,
    )


def _openai() -> OpenAiSettings | None:
    if not settings.OPENAI_API_KEY:
        return None
    return OpenAiSettings(settings.OPENAI_API_KEY, base_url=settings.OPENAI_BASE_URL)


def _azure() -> AzureSettings | None:
    if not settings.AZURE_SPEECH_KEY:
        return None
    return AzureSettings(
        settings.AZURE_SPEECH_KEY, region=settings.AZURE_SPEECH_REGION, base_url=settings.AZURE_SPEECH_BASE_URL
    )


def _assemblyai() -> AssemblyAiSettings | None:
    if not settings.ASSEMBLYAI_API_KEY:
        return None
    return AssemblyAiSettings(
        settings.ASSEMBLYAI_API_KEY, region=settings.ASSEMBLYAI_REGION, base_url=settings.ASSEMBLYAI_BASE_URL
    )


def _deepgram() -> DeepgramSettings | None:
    if not settings.DEEPGRAM_API_KEY:
        return None
    return DeepgramSettings(
        settings.DEEPGRAM_API_KEY, region=settings.DEEPGRAM_REGION, base_url=settings.DEEPGRAM_BASE_URL
    )


def _google() -> GoogleSettings | None:
    if not settings.GOOGLE_SPEECH_CREDENTIALS:
        return None
    return GoogleSettings(
        settings.GOOGLE_SPEECH_CREDENTIALS,
        location=settings.GOOGLE_SPEECH_LOCATION,
        base_url=settings.GOOGLE_SPEECH_BASE_URL,
        token_url=settings.GOOGLE_TOKEN_URL,
    )
