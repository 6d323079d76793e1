"""In which order engines that fit are tried: what each is worth for the wish to optimize, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from speech.catalogue import Catalogue
from speech.engines.ports import Capabilities

FITS: Final = "fits"
NOTHING_KNOWN: Final = Decimal("Infinity")
Rank = tuple[bool, bool, Decimal]


@dataclass(frozen=True, slots=True)
class Measured:
    """How a model did on the operator's recordings of a language: characters (`is_cer`) or words in a hundred that
    were wrong, and milliseconds of waiting per second of audio."""

    error_rate: Decimal
    is_cer: bool
    clips: int
    ms_per_audio_s: Decimal | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known about engines now. `troubled`: seconds until an engine in trouble may be called again."""

    models: Catalogue = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)  # of an hour, by engine or engine/model
    currency: str = ""
    measured: Mapping[tuple[str, str, str], Measured] = field(default_factory=dict)  # by engine, model, language
    troubled: Mapping[str, float] = field(default_factory=dict)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


@dataclass(frozen=True, slots=True)
class Scored:
    """An engine with one of its models: the lower the rank, the sooner it is tried. Equals stay in their order."""

    engine: str
    model: str
    rank: Rank
    reason: str


def scored(engine: Capabilities, model: str, *, optimize: str | None, language: str, outlook: Outlook) -> Scored:
    """What an engine with a model is worth. Demo quality is behind all others, trouble behind everything.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> priced = Outlook(rates={"simulated": Decimal("0.36")}, currency="USD")
    >>> scored(CAPABILITIES, "simulated-1", optimize="cost", language="en", outlook=priced).reason
    'fits: 0.36 USD an hour'
    """
    worth, why = _WORTH[optimize](engine, model, language, outlook) if optimize else (Decimal(0), "")
    wait_s = outlook.troubled.get(engine.name)
    trouble = "" if wait_s is None else "; its provider is in trouble, so it is tried last"
    demo = engine.quality == "demo" and optimize in {None, "quality"}
    reason = f"{FITS}: {why}" if why else FITS
    return Scored(engine.name, model, (wait_s is not None, demo, worth), reason + trouble)


def _cost(engine: Capabilities, model: str, language: str, outlook: Outlook) -> tuple[Decimal, str]:
    rate = outlook.rates.get(f"{engine.name}/{model}", outlook.rates.get(engine.name))
    if rate is None:
        return NOTHING_KNOWN, "it has no price here, so it is behind those that have"
    return rate, f"{rate.normalize():f} {outlook.currency} an hour"


def _quality(engine: Capabilities, model: str, language: str, outlook: Outlook) -> tuple[Decimal, str]:
    found = _measured(engine, model, language, outlook)
    if found is None:
        what = f"for {language}" if language else "because the order names no language"
        return NOTHING_KNOWN, f"not measured {what}, so it is behind those that are"
    metric, clips = "CER" if found.is_cer else "WER", f"{found.clips} clip{'s' * (found.clips != 1)}"
    return found.error_rate, f"{found.error_rate * 100:.1f} % {metric} over {clips} of {language}"


def _latency(engine: Capabilities, model: str, language: str, outlook: Outlook) -> tuple[Decimal, str]:
    found = _measured(engine, model, language, outlook)
    if found is not None and found.ms_per_audio_s is not None:
        return found.ms_per_audio_s, f"{found.ms_per_audio_s:.0f} ms per second of audio, measured"
    declared = Decimal(round(1000 / engine.rtfx)) if engine.rtfx else NOTHING_KNOWN
    return declared, f"{declared} ms per second of audio, as declared and not measured"


def _measured(engine: Capabilities, model: str, language: str, outlook: Outlook) -> Measured | None:
    return outlook.measured.get((engine.name, model, language.partition("-")[0].lower()))


_WORTH: Final = {"cost": _cost, "quality": _quality, "latency": _latency}
