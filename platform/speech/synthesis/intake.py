"""From a request to an order to speak, or a `Problem` that names the field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from django.http import HttpRequest

from apikit.facade import FieldError, Problem
from observe.facade import traceparent_or_new
from speech import retention
from speech.audio.encoding import rate_for
from speech.breakers import SPEAK, troubled
from speech.contradictions import check_language
from speech.destinations import services as destinations
from speech.engines.speaking import SpeakingCapabilities, SpokenPart, Voice
from speech.providers import speakers
from speech.routing import not_allowed, region_at
from speech.synthesis import aliases, dictionary
from speech.synthesis.contracts import SYNC_CHARACTERS, SpeechOrder
from speech.synthesis.errors import NoVoice, SynthesisError, TextUnusable
from speech.synthesis.pronouncing import Pronounced
from speech.synthesis.schemas import SpeechIn
from speech.synthesis.ssml import spoken_of
from speech.synthesis.text import spoken_text
from speech.synthesis.voices import VoiceChoice, VoiceWish, choose_voice, known_voices, speaking, stand_ins
from tenants.facade import Caller, narrowed


def order_of(request: HttpRequest, body: SpeechIn, *, caller: Caller, always_waited_for: bool = False) -> SpeechOrder:
    """The checked order. Short text is waited for, unless the caller prefers not to (RFC 7240)."""
    _one_source(body)
    check_language(body.language, field="language")
    spoken = spoken_text(spoken_of(body.ssml)) if body.ssml is not None else spoken_text(body.text or "")
    choice, others = _choose(body, spoken, caller=caller)
    _check_engine(body, choice, caller=caller)
    _check_ssml(body, choice)
    rate_hz = rate_for(body.format, wanted_hz=body.sample_rate_hz, voice_hz=choice.voice.sample_rate_hz)
    said = _said_as(body, spoken, choice, caller=caller)
    kept = retention.asked(body.delete_after_s, caller=caller)
    prefers_a_job = "respond-async" in request.headers.get("Prefer", "") or len(spoken) > SYNC_CHARACTERS
    return SpeechOrder(
        text=body.ssml or spoken, is_ssml=body.ssml is not None, characters=len(spoken), voice=choice.voice.id,
        engine=choice.voice.engine, language=choice.language, format=body.format, sample_rate_hz=rate_hz,
        asked=_asked(body), said_as=said.said, swaps=said.swaps, timings=body.timings,
        speed_permille=round(body.speed * 1000), style=body.style or "", simulate=body.simulate or "",
        metadata=body.metadata, tags=tuple(body.tags), webhook_url=body.webhook_url,
        destination=destinations.named(caller, body.destination_id), delete_after_s=kept,
        reuse=body.reuse == "auto" and kept != retention.ZERO, reasons=choice.reasons, others=others,
        waited_for=always_waited_for or not prefers_a_job,
        traceparent=traceparent_or_new(request.headers.get("traceparent")),
    )  # fmt: skip


def _asked(body: SpeechIn) -> dict[str, str | int | None]:
    """In its own words: an alias, or the default while its provider is in trouble, may mean another voice next time."""
    return {"voice": body.voice, "engine": body.engine, "language": body.language, "rate": body.sample_rate_hz}


def _one_source(body: SpeechIn) -> None:
    if (body.text is None) == (body.ssml is None):
        error = FieldError("text", "contradiction", "Send exactly one of text and ssml.")
        raise Problem("invalid_request", 422, "Send exactly one of text and ssml.", [error])


def _choose(body: SpeechIn, spoken: str, *, caller: Caller) -> tuple[VoiceChoice, tuple[str, ...]]:
    """The voice that speaks, and those that take over from it."""
    named = aliases.voice_id_of(body.voice, caller=caller) if body.voice else None
    wish = VoiceWish(
        livemode=caller.livemode,
        text=spoken,
        voice=named or body.voice,
        engine=body.engine,
        language=body.language,
        style=body.style or "",
        troubled=_troubled(body, caller),
    )
    known = _known(body, named=named, caller=caller)
    choice = choose_voice(wish, known=known)
    if named is not None and caller.livemode:
        choice = replace(choice, reasons={choice.voice.id: f"asked for by the alias {body.voice}"})
    others = [one.id for one in stand_ins(choice, wish, known=known) if _could_speak(one, choice, body, caller=caller)]
    return choice, tuple(others)


def _could_speak(voice: Voice, choice: VoiceChoice, body: SpeechIn, *, caller: Caller) -> bool:
    """Whether the order would be taken with this voice too."""
    try:
        _check_engine(body, replace(choice, voice=voice), caller=caller)
        _check_ssml(body, replace(choice, voice=voice))
    except SynthesisError:
        return False
    return True


def _known(body: SpeechIn, *, named: str | None, caller: Caller) -> list[Voice]:
    """Every voice that may be chosen; one that cannot serve the order only by name, and then it is refused by name."""
    if named or body.voice or body.engine:
        return list(known_voices())
    engines = {name for name in speakers() if _may_be_chosen(speaking(name), body, caller=caller)}
    return [one for one in known_voices() if one.engine in engines]


def _troubled(body: SpeechIn, caller: Caller) -> frozenset[str]:
    """Engines whose circuit is open, where that may change the choice."""
    if body.voice or body.engine or not caller.livemode:
        return frozenset()
    executors = {name: one.capabilities.executor for name, one in speakers().items()}
    waits = troubled(executors.values(), operation=SPEAK)
    return frozenset(name for name, executor in executors.items() if executor in waits)


def _may_be_chosen(able: SpeakingCapabilities, body: SpeechIn, *, caller: Caller) -> bool:
    told = body.timings is None or body.timings in able.timings
    return told and not able.is_retired(_today()) and _forbidden(able, caller) is None


def _forbidden(able: SpeakingCapabilities, caller: Caller) -> str | None:
    """Why the key's or the tenant's policy forbids an engine; a test key's is simulated whatever they say."""
    if not caller.livemode:
        return None
    policy = narrowed([caller.routing, caller.policies.routing])
    return not_allowed(able.name, policy=policy, region=region_at(able.executor))


def _check_engine(body: SpeechIn, choice: VoiceChoice, *, caller: Caller) -> None:
    """What holds for all of the engine: it is allowed, still there, tells such times, and can speak so fast."""
    able = speaking(choice.voice.engine)
    forbidden = _forbidden(able, caller)
    if forbidden is not None:
        raise NoVoice("no_engine_allowed", f"{able.name} may not be used: {forbidden}. Choose another voice.")
    if able.is_retired(_today()):
        detail = (
            f"{able.name} was shut down on {able.shutdown_date}; its provider names {able.replacement} instead. "
            "Choose a voice of another engine."
        )
        raise NoVoice("model_retired", detail)
    if body.timings is not None and body.timings not in able.timings:
        engines = ", ".join(name for name, one in speakers().items() if body.timings in one.capabilities.timings)
        detail = f"{able.name} does not tell when each {body.timings} is said. Engines that do: {engines}."
        raise NoVoice("timings_unsupported", detail, field="timings")
    least, most = (permille / 1000 for permille in able.speeds_permille)
    if not least <= body.speed <= most:
        raise NoVoice("speed_unsupported", f"{able.name} speaks at {least:g} to {most:g} times.", field="speed")


def _today() -> date:
    return datetime.now(UTC).date()


def _said_as(body: SpeechIn, spoken: str, choice: VoiceChoice, *, caller: Caller) -> Pronounced:
    """SSML says itself how it is to sound."""
    if body.ssml is not None:
        return Pronounced("")
    return dictionary.said_as(spoken, language=choice.language, caller=caller)


def _check_ssml(body: SpeechIn, choice: VoiceChoice) -> None:
    """What this very engine can follow, and take at once: SSML is not cut."""
    if body.ssml is None:
        return
    able = speaking(choice.voice.engine)
    spoken_of(body.ssml, allowed=able.ssml_tags)
    part = SpokenPart(
        body.ssml, choice.voice, is_ssml=True, speed_permille=round(body.speed * 1000), style=body.style or ""
    )
    if not speakers()[able.name].takes(part):
        detail = f"{able.name} takes SSML of at most {able.max_characters} characters, as its provider counts them."
        raise TextUnusable("ssml_too_long", f"{detail} Send it in parts.")
