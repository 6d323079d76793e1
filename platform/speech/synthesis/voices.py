"""Which voice speaks: a pure choice from wishes and the voices that are here, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from speech.catalogue import EngineModel
from speech.engines.speaking import SpeakingCapabilities, Voice
from speech.languages import primary
from speech.offers.current import catalogue
from speech.providers import speakers
from speech.routing import SIMULATED
from speech.synthesis.errors import NoVoice
from speech.synthesis.scripts import is_written_for, language_of

# By language, best first; where none of them is here, any voice of the language.
DEFAULT_VOICES: Final[dict[str, tuple[str, ...]]] = {
    "ko": ("polly/Seoyeon", "azure/ko-KR-SunHiNeural", "polly-standard/Seoyeon", "openai/coral", "espeak-ng/ko"),
    "en": ("polly/Joanna", "azure/en-US-JennyNeural", "polly-standard/Joanna", "openai/alloy", "espeak-ng/en-us"),
}
MANY: Final = 8  # voices that an error names


@dataclass(frozen=True, slots=True)
class VoiceWish:
    """What the order says about the voice; `troubled` are engines that are not to be called now."""

    livemode: bool
    text: str
    voice: str | None = None
    engine: str | None = None
    language: str | None = None
    style: str = ""
    troubled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """The voice that speaks, in which language, and why."""

    voice: Voice
    language: str
    reasons: dict[str, str]


def choose_voice(wish: VoiceWish, *, known: Sequence[Voice]) -> VoiceChoice:
    """The voice for an order; raises `NoVoice`, which names voices that fit.

    >>> from speech.engines.simulated_voice import VOICES
    >>> choose_voice(VoiceWish(livemode=False, text="안녕"), known=VOICES).voice.id
    'simulated/sejong'
    """
    choice = _chosen(wish, known)
    if wish.style:
        _check_style(choice, wish, known)
    return choice


def stand_ins(choice: VoiceChoice, wish: VoiceWish, *, known: Sequence[Voice]) -> list[Voice]:
    """Who takes over, in this order, when the provider of the chosen voice fails: nobody for a voice asked for by name.

    One voice of each other provider: of the language's default voices, and where none of them is here, of all.
    """
    provider = speaking(choice.voice.engine).executor
    if wish.voice or wish.engine or not wish.livemode or not provider:
        return []
    usual = [voice for voice in _defaults(choice.language, known) if _can_stand_in(voice, choice, wish)]
    firsts: dict[str, Voice] = {}
    for voice in usual or [voice for voice in known if _can_stand_in(voice, choice, wish)]:
        firsts.setdefault(speaking(voice.engine).executor, voice)
    return [voice for name, voice in firsts.items() if name != provider]


def _defaults(language: str, known: Sequence[Voice]) -> list[Voice]:
    """The language's default voices that are here, best first."""
    by_id = {voice.id: voice for voice in known}
    return [by_id[one] for one in DEFAULT_VOICES.get(primary(language), ()) if one in by_id]


def _can_stand_in(voice: Voice, choice: VoiceChoice, wish: VoiceWish) -> bool:
    has_style = not wish.style or wish.style in voice.styles
    return has_style and voice.speaks(choice.language) and voice.engine != SIMULATED and _is_natural(voice)


def _is_natural(voice: Voice) -> bool:
    """A robot does not stand in for a natural voice: a late file is better than one that has to be made again."""
    return speaking(voice.engine).quality != "demo"


def _chosen(wish: VoiceWish, known: Sequence[Voice]) -> VoiceChoice:
    if not wish.livemode:
        return _simulated(wish, known)
    if wish.voice is not None:
        return _named(wish, known)
    language = wish.language or language_of(wish.text)
    able = [voice for voice in _of_engine(wish, known) if voice.speaks(language)]
    if not able:
        raise _nobody_speaks(language, known)
    able = [one for one in able if wish.style in one.styles] or able
    usual = _best(able, language)
    voice = _best(_well(able, usual, wish), language)
    _check_script(voice, wish, known)
    why = "the language asked for" if wish.language else "the script of the text"
    passed = {} if voice == usual else {usual.id: "its provider is in trouble, so another voice speaks"}
    return VoiceChoice(voice, language, {voice.id: f"default voice for {language}, {why}"} | passed)


def _well(able: Sequence[Voice], usual: Voice, wish: VoiceWish) -> Sequence[Voice]:
    """Those that can stand in for the usual voice; itself, when it is well or nobody can."""
    if usual.engine not in wish.troubled:
        return [usual]
    well = [one for one in able if one.engine not in wish.troubled and _is_natural(one)]
    return well or [usual]


def _simulated(wish: VoiceWish, known: Sequence[Voice]) -> VoiceChoice:
    """A test key's voice: simulated, of the language that the order would have."""
    asked = next((voice for voice in known if wish.voice and wish.voice in {voice.id, voice.name}), None)
    if wish.voice and asked is None:
        raise _unknown(wish.voice, known)
    language = wish.language or (asked.languages[0] if asked else language_of(wish.text))
    own = [voice for voice in known if voice.engine == SIMULATED]
    voice = asked if asked in own else next((one for one in own if one.speaks(language)), own[0])
    return VoiceChoice(voice, language, {voice.id: "test keys speak with the simulated engine only"})


def _named(wish: VoiceWish, known: Sequence[Voice]) -> VoiceChoice:
    found = [voice for voice in known if wish.voice in {voice.id, voice.name}]
    found = [voice for voice in found if wish.engine in (None, voice.engine)]
    if not found:
        raise _unknown(wish.voice or "", known)
    voice = found[0]
    if wish.language and not voice.speaks(wish.language):
        raise NoVoice("voice_language", f"{voice.id} does not speak {wish.language}. {_fitting(wish.language, known)}")
    _check_script(voice, wish, known)
    return VoiceChoice(voice, wish.language or _language_for(voice, wish.text), {voice.id: "asked for by name"})


def _language_for(voice: Voice, text: str) -> str:
    """Of a voice's languages, the one that the text is likely in; its own where the script does not tell."""
    likely = language_of(text)
    return next((one for one in voice.languages if primary(one) == likely), voice.languages[0])


def _of_engine(wish: VoiceWish, known: Sequence[Voice]) -> list[Voice]:
    if wish.engine is None:
        return [voice for voice in known if voice.engine != SIMULATED]
    found = [voice for voice in known if voice.engine == wish.engine]
    if not found:
        engines = ", ".join(dict.fromkeys(voice.engine for voice in known))
        raise NoVoice("unknown_engine", f"No engine of that name speaks. Engines here: {engines}.", field="engine")
    return found


def _best(able: Sequence[Voice], language: str) -> Voice:
    named = next(iter(_defaults(language, able)), None)
    exact = next((voice for voice in able if language.lower() in voice.languages), None)
    return (exact if "-" in language else None) or named or exact or able[0]


def _check_script(voice: Voice, wish: VoiceWish, known: Sequence[Voice]) -> None:
    if not any(is_written_for(wish.text, language) for language in voice.languages):
        language = language_of(wish.text)
        detail = f"{voice.id} cannot read the script of this text. {_fitting(language, known)}"
        raise NoVoice("voice_script", detail)


def _check_style(choice: VoiceChoice, wish: VoiceWish, known: Sequence[Voice]) -> None:
    """The voice has the style; a test key's need not, if any voice has it."""
    able = [voice for voice in known if wish.style in voice.styles]
    if wish.style in choice.voice.styles or (able and not wish.livemode):
        return
    named = ", ".join(voice.id for voice in able[:MANY]) or "none here"
    detail = f"{choice.voice.id} has no style {wish.style!r}. Voices that do: {named}."
    raise NoVoice("style_unsupported", detail, field="style")


def _unknown(name: str, known: Sequence[Voice]) -> NoVoice:
    return NoVoice("unknown_voice", f"There is no voice {name[:64]!r}. GET /v1/voices lists all {len(known)} of them.")


def _nobody_speaks(language: str, known: Sequence[Voice]) -> NoVoice:
    return NoVoice("no_voice", f"No voice chosen so speaks {language}. {_fitting(language, known)}", field="language")


def _fitting(language: str, known: Sequence[Voice]) -> str:
    able = [voice.id for voice in known if voice.speaks(language)][:MANY]
    return f"Voices that do: {', '.join(able) or 'none'}."


@lru_cache(maxsize=1)
def known_voices() -> tuple[Voice, ...]:
    """Every voice of this installation."""
    return tuple(voice for engine in speakers().values() for voice in engine.voices())


@lru_cache(maxsize=1024)
def voice_by_id(voice_id: str) -> Voice:
    """One voice; raises LookupError."""
    for voice in known_voices():
        if voice.id == voice_id:
            return voice
    raise LookupError(voice_id)


def speaking(engine: str) -> SpeakingCapabilities:
    """What a speaking engine can do."""
    return _dated(speakers()[engine].capabilities)


def spoken_model(engine: str) -> EngineModel | None:
    """What the catalogue knows of the model behind a speaking engine."""
    return next((one for one in catalogue().values() if one.engine == engine and one.kind == "speaking"), None)


def _dated(able: SpeakingCapabilities) -> SpeakingCapabilities:
    """With the end that the catalogue knows of: an operator may have heard of it before this version was made."""
    model = spoken_model(able.name)
    life = model.lifecycle if model else None
    if life is None or (life.shutdown, life.replacement) == (able.shutdown_date, able.replacement):
        return able
    return replace(able, shutdown_date=life.shutdown, replacement=life.replacement or able.replacement)
