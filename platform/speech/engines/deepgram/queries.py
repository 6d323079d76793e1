"""What is asked of Deepgram: its query parameters for our options. Pure."""

from __future__ import annotations

from typing import Final

from speech.engines import hearing_calls
from speech.engines.ports import EngineRequest
from speech.languages import primary
from speech.options import Feature, Options

MODELS: Final = ("nova-3", "nova-3-medical", "nova-2")
FEATURES: Final[frozenset[Feature]] = frozenset(
    {"word_timestamps", "language_detection", "diarization", "vocabulary", "profanity_filter", "pii_redaction"}
)
# Nova-3's, from Deepgram's changelog up to 2026-08.
LANGUAGES: Final = frozenset(
    {"en", "es", "fr", "de", "it", "pt", "nl", "sv", "da", "no", "nb", "tr", "id", "bg", "cs", "fi", "hi", "hu", "ja",
     "ko", "pl", "ru", "uk", "vi", "ca", "et", "el", "lv", "lt", "ms", "ro", "sk", "be", "bn", "bs", "hr", "kn", "mk",
     "mr", "sr", "sl", "ta", "tl", "fil", "te", "th", "zh", "yue", "pa", "ne"}
)  # fmt: skip
# Regions that it tells apart; of any other tag only the language is sent.
_REGIONS: Final = {
    tag.lower(): tag
    for tag in (
        "en-US", "en-AU", "en-GB", "en-IN", "en-NZ", "es-419", "fr-CA", "pt-BR", "pt-PT", "nl-BE", "de-CH", "ko-KR",
        "zh-CN", "zh-TW", "zh-HK",
    )
}  # fmt: skip
_OWN_CODES: Final = {"nb": "no", "fil": "tl", "yue": "zh-HK"}
_REDACTIONS: Final = {
    "all": ("pii", "pci", "numbers"), "pii": ("pii",), "pci": ("pci",), "credit_card": ("pci",),
    "numbers": ("numbers",),
}  # fmt: skip


def query_of(request: EngineRequest) -> list[tuple[str, str]]:
    """The parameters of /v1/listen; raises EngineError for what Deepgram cannot do."""
    options = request.options
    model = request.model or options.model or MODELS[0]
    query = [("model", model), ("smart_format", "true"), ("utterances", "true"), *_language(options)]
    if options.diarize:
        query.append(("diarize_model", "latest"))  # `diarize` itself is deprecated
    query += [("keyterm" if model.startswith("nova-3") else "keywords", term) for term in options.vocabulary]
    if options.profanity_filter:
        query.append(("profanity_filter", "true"))
    query += [("redact", group) for group in _redactions(options.redact_pii)]
    return query


def _language(options: Options) -> list[tuple[str, str]]:
    if options.language:
        return [("language", code_of(options.language))]
    if options.languages:
        return [("detect_language", code_of(tag)) for tag in options.languages]
    return [("detect_language", "true")]


def code_of(tag: str) -> str:
    """Deepgram's code for a language.

    >>> code_of("en-gb"), code_of("ko-KP"), code_of("nb-NO")
    ('en-GB', 'ko', 'no')
    """
    return _REGIONS.get(tag.lower()) or _OWN_CODES.get(primary(tag), primary(tag))


def _redactions(kinds: tuple[str, ...]) -> list[str]:
    groups: dict[str, None] = {}
    for kind in kinds:
        if kind not in _REDACTIONS:
            detail = f"cannot hide {kind}; it knows {', '.join(_REDACTIONS)}."
            raise hearing_calls.failure("Deepgram", "unsupported", code="redaction_unsupported", detail=detail)
        groups |= dict.fromkeys(_REDACTIONS[kind])
    return list(groups)
