"""What is asked of Azure: the definition of a fast transcription for our options. Pure."""

from __future__ import annotations

from typing import Any, Final

from speech.engines.locales import LOCALES, locale_of
from speech.engines.ports import EngineRequest
from speech.options import Feature, Options

MODELS: Final = ("fast", "enhanced")
FEATURES: Final[frozenset[Feature]] = frozenset(
    {"word_timestamps", "language_detection", "diarization", "vocabulary", "profanity_filter", "translation", "prompt"}
)
# The larger model alone translates and takes a prompt.
MODEL_FEATURES: Final = {"fast": FEATURES - {"translation", "prompt"}}
LANGUAGES: Final = frozenset(LOCALES) | {"nb", "fil"}
MAX_SPEAKERS: Final = 35


def definition_of(request: EngineRequest) -> dict[str, Any]:
    """The definition; without `locales` Azure finds the language out by itself."""
    options = request.options
    definition: dict[str, Any] = {"profanityFilterMode": "Masked" if options.profanity_filter else "None"}
    if locales := _locales(options):
        definition["locales"] = locales
    if options.diarize:
        most = options.speakers or options.max_speakers or 0
        definition["diarization"] = {"enabled": True} | (
            {"maxSpeakers": max(2, min(most, MAX_SPEAKERS))} if most else {}
        )
    if options.vocabulary:
        definition["phraseList"] = {"phrases": list(options.vocabulary)}
    if enhanced := _enhanced(request):
        definition["enhancedMode"] = enhanced
    return definition


def _locales(options: Options) -> list[str]:
    tags = (options.language,) if options.language else options.languages
    return [locale_of(tag) for tag in tags]


def _enhanced(request: EngineRequest) -> dict[str, Any]:
    """The larger model, which alone translates and takes a prompt."""
    options = request.options
    if options.task == "translate":
        mode: dict[str, Any] = {"enabled": True, "task": "translate", "targetLanguage": "en"}
    elif options.prompt or "enhanced" in (request.model, options.model):
        mode = {"enabled": True, "task": "transcribe"}
    else:
        return {}
    return mode | ({"prompt": [options.prompt]} if options.prompt else {})
