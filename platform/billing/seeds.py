"""The prices of a fresh installation: examples that an operator replaces by approving a newer version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from billing.contracts import AUDIO_MS, BYOK, CHARACTERS, Price

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class SeedBook:
    """One currency's example prices."""

    version: int
    currency: str
    prices: tuple[Price, ...]


def _audio(engine: str, per_minute: str) -> tuple[Price, ...]:
    """A result that is taken over costs a quarter: nobody was called for it."""
    price = Decimal(per_minute)
    return (
        *(Price(engine, "", mode, AUDIO_MS, price, MINUTE_MS) for mode in ("batch", "stream", "sync")),
        Price(engine, "", "cache", AUDIO_MS, price / 4, MINUTE_MS),
    )


def _whisper(per_minute: str) -> tuple[Price, ...]:
    """Every model of the shared pool costs the same, whichever the operator has weights of."""
    models = ("tiny", "base", "small", "medium", "turbo", "large-v2", "large-v3")
    return tuple(price for model in models for price in _audio(f"whisper-{model}", per_minute))


def _own_accounts(per_minute: str) -> tuple[Price, ...]:
    """Recordings that are heard on the tenant's own account at a provider: our work around it."""
    price, providers = Decimal(per_minute), ("assemblyai", "deepgram", "google", "openai", "azure")
    return tuple(Price(engine, "", BYOK, AUDIO_MS, price, MINUTE_MS) for engine in providers)


def _characters(engine: str, *, per_million: str, cached_per_million: str) -> tuple[Price, ...]:
    full, cached = Decimal(per_million), Decimal(cached_per_million)
    return (
        *(Price(engine, "", mode, CHARACTERS, full, MILLION) for mode in ("batch", "stream", "sync")),
        Price(engine, "", "cache", CHARACTERS, cached, MILLION),
    )


BOOKS = (
    SeedBook(
        1,
        "USD",
        (
            *_audio("pocketsphinx", "0.0006"),
            *_whisper("0.003"),
            *_audio("simulated", "0.006"),
            *_audio("simulated-cloud", "0.006"),
            *_own_accounts("0.001"),
            *_characters("espeak-ng", per_million="0.4", cached_per_million="0.1"),
            *_characters("simulated", per_million="4", cached_per_million="1"),
            *_characters("polly", per_million="16", cached_per_million="4"),
            *_characters("polly-standard", per_million="4", cached_per_million="1"),
            *_characters("polly-generative", per_million="30", cached_per_million="7.5"),
            *_characters("polly-long-form", per_million="100", cached_per_million="25"),
            *_characters("azure", per_million="16", cached_per_million="4"),
            *_characters("openai", per_million="15", cached_per_million="3.75"),
            *_characters("openai-tts-1", per_million="15", cached_per_million="3.75"),
            *_characters("openai-tts-1-hd", per_million="30", cached_per_million="7.5"),
            *_audio("deepgram", "0.0096"),
            *_audio("assemblyai", "0.007"),
            *_audio("google", "0.032"),
            *_audio("azure", "0.012"),
            *_audio("openai", "0.012"),
        ),
    ),
    SeedBook(
        2,
        "KRW",
        (
            *_audio("pocketsphinx", "0.85"),
            *_whisper("4.2"),
            *_audio("simulated", "8.5"),
            *_audio("simulated-cloud", "8.5"),
            *_own_accounts("1.4"),
            *_characters("espeak-ng", per_million="570", cached_per_million="140"),
            *_characters("simulated", per_million="5700", cached_per_million="1400"),
            *_characters("polly", per_million="22800", cached_per_million="5700"),
            *_characters("polly-standard", per_million="5700", cached_per_million="1425"),
            *_characters("polly-generative", per_million="42750", cached_per_million="10687"),
            *_characters("polly-long-form", per_million="142500", cached_per_million="35625"),
            *_characters("azure", per_million="22800", cached_per_million="5700"),
            *_characters("openai", per_million="21375", cached_per_million="5343"),
            *_characters("openai-tts-1", per_million="21375", cached_per_million="5343"),
            *_characters("openai-tts-1-hd", per_million="42750", cached_per_million="10687"),
            *_audio("deepgram", "13.5"),
            *_audio("assemblyai", "10"),
            *_audio("google", "45"),
            *_audio("azure", "17"),
            *_audio("openai", "17"),
        ),
    ),
)
