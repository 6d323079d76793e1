"""What is asked of Google: a RecognitionConfig for our options. Pure."""

from __future__ import annotations

from typing import Any, Final

from speech.engines.locales import locale_of
from speech.engines.ports import EngineRequest
from speech.options import Feature, Options

MODELS: Final = ("chirp_3",)
FEATURES: Final[frozenset[Feature]] = frozenset(
    # No prompt: Google's customPrompt is not context, it replaces the model's own instructions.
    {"word_timestamps", "language_detection", "diarization", "vocabulary", "profanity_filter"}
)
# chirp_3's that are generally available.
LANGUAGES: Final = frozenset(
    {"ca", "zh", "cmn", "hr", "da", "nl", "en", "fi", "fr", "de", "el", "hi", "it", "ja", "ko", "pl", "pt", "ro", "ru",
     "es", "sv", "tr", "uk", "vi"}
)  # fmt: skip
MAX_SPEAKERS: Final = 6  # to look for where nobody said how many
_OWN_CODES: Final = {"zh-cn": "cmn-Hans-CN", "zh-tw": "cmn-Hant-TW", "cmn": "cmn-Hans-CN"}


def config_of(request: EngineRequest) -> dict[str, Any]:
    """The config of a request."""
    options = request.options
    config: dict[str, Any] = {
        "autoDecodingConfig": {},
        "model": request.model or options.model or MODELS[0],
        "languageCodes": _languages(options),
        "features": _features(options),
    }
    if options.vocabulary:
        phrases = [{"value": term} for term in options.vocabulary]
        config["adaptation"] = {"phraseSets": [{"inlinePhraseSet": {"phrases": phrases}}]}
    return config


def _languages(options: Options) -> list[str]:
    tags = (options.language,) if options.language else options.languages
    return [code_of(tag) for tag in tags] or ["auto"]


def code_of(tag: str) -> str:
    """Google's code for a language.

    >>> code_of("ko"), code_of("en-GB"), code_of("zh")
    ('ko-KR', 'en-GB', 'cmn-Hans-CN')
    """
    locale = locale_of(tag)
    return _OWN_CODES.get(locale.lower(), locale)


def _features(options: Options) -> dict[str, Any]:
    # Words are always asked for with their times: without them there are no segments to show.
    features: dict[str, Any] = {
        "enableWordTimeOffsets": True, "enableWordConfidence": True, "enableAutomaticPunctuation": True,
    }  # fmt: skip
    if options.profanity_filter:
        features["profanityFilter"] = True
    if options.diarize:
        least = options.speakers or options.min_speakers or 1
        most = options.speakers or options.max_speakers or max(MAX_SPEAKERS, least)
        features["diarizationConfig"] = {"minSpeakerCount": least, "maxSpeakerCount": most}
    return features
