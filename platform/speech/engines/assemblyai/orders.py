"""What is asked of AssemblyAI: its fields for our options. Pure."""

from __future__ import annotations

from typing import Any, Final

from speech.engines import hearing_calls
from speech.engines.ports import EngineRequest
from speech.languages import primary
from speech.options import Feature, Options

MODELS: Final = ("universal-3-5-pro", "universal-2", "assemblyai-stt-3-7")
# Always named: without a name the account's default decides, which AssemblyAI changes. The second one hears the
# languages that the first does not know.
USUAL: Final = ("universal-3-5-pro", "universal-2")
MOST_TERMS: Final = {"universal-2": 200}
MAX_TERMS: Final = 1_000
MAX_TERM_WORDS: Final = 6
FEATURES: Final[frozenset[Feature]] = frozenset(
    {"word_timestamps", "language_detection", "diarization", "vocabulary", "prompt", "profanity_filter",
     "pii_redaction"}
)  # fmt: skip
MODEL_FEATURES: Final = {"universal-2": FEATURES - {"prompt"}}
_LANGUAGES: Final = """
en es fr de it pt nl af sq am ar hy as az ba eu be bn bs br bg my ca zh hr cs da et fo fi gl ka el gu ht ha haw he hi hu
is id ja jw jv kn kk km ko lo la lv ln lt lb mk mg ms ml mt mi mr mn ne no nb nn oc pa ps fa pl ro ru sa sr sn sd si sk
sl so su sw sv tl fil tg ta tt te th bo tr tk uk ur uz vi cy yi yo
"""
LANGUAGES: Final = frozenset(_LANGUAGES.split())
_REGIONS: Final = {"en-gb": "en_uk", "en-us": "en_us", "en-au": "en_au"}
_OWN_CODES: Final = {"nb": "no", "fil": "tl", "jv": "jw"}
_POLICIES: Final = """
account_number banking_information blood_type credit_card_cvv credit_card_expiration credit_card_number date
date_interval date_of_birth drivers_license drug duration email_address event filename gender_sexuality
healthcare_number injury ip_address language location marital_status medical_condition medical_process money_amount
nationality number_sequence occupation organization passport_number password person_age person_name phone_number
physical_attribute political_affiliation religion statistics time url us_social_security_number username vehicle_id
zodiac_sign
"""
POLICIES: Final = frozenset(_POLICIES.split())
# What says nothing of a person by itself; "all" leaves it readable.
_HARMLESS: Final = frozenset(
    {"date", "date_interval", "drug", "duration", "event", "filename", "language", "money_amount", "organization",
     "statistics", "time", "url"}
)  # fmt: skip
_ALIASES: Final = {
    "email": "email_address", "phone": "phone_number", "name": "person_name", "address": "location",
    "credit_card": "credit_card_number", "ssn": "us_social_security_number", "age": "person_age",
}  # fmt: skip


def order_of(request: EngineRequest) -> dict[str, Any]:
    """The body of the order without the audio's address; raises EngineError for what AssemblyAI cannot do."""
    options = request.options
    order: dict[str, Any] = {"speech_models": _models(request)}
    order |= _language(options)
    if options.diarize:
        order |= {"speaker_labels": True, **_speakers(options)}
    if options.vocabulary:
        order["keyterms_prompt"] = _terms(options.vocabulary)
    if options.prompt:
        order["prompt"] = options.prompt
    if options.profanity_filter:
        order["filter_profanity"] = True
    if options.redact_pii:
        policies = _policies(options.redact_pii)
        order |= {"redact_pii": True, "redact_pii_policies": policies, "redact_pii_sub": "entity_name"}
    return order


def _models(request: EngineRequest) -> list[str]:
    """The one that the customer named; else the route's, with the usual ones that can do the same behind it."""
    options = request.options
    if options.model:
        return [options.model]
    able = [model for model in USUAL if len(options.vocabulary) <= MOST_TERMS.get(model, MAX_TERMS)]
    if options.prompt:
        able = [model for model in able if "prompt" in MODEL_FEATURES.get(model, FEATURES)]
    first = [request.model] if request.model in able or request.model not in ("", *USUAL) else []
    return list(dict.fromkeys([*first, *able]))


def _language(options: Options) -> dict[str, Any]:
    if options.language:
        return {"language_code": code_of(options.language)}
    detection: dict[str, Any] = {"language_detection": True}
    if options.languages:
        detection["language_detection_options"] = {"expected_languages": [code_of(tag) for tag in options.languages]}
    return detection


def code_of(tag: str) -> str:
    """AssemblyAI's code for a language.

    >>> code_of("en-GB"), code_of("ko-KR"), code_of("nb")
    ('en_uk', 'ko', 'no')
    """
    return _REGIONS.get(tag.lower()) or _OWN_CODES.get(primary(tag), primary(tag))


def _speakers(options: Options) -> dict[str, Any]:
    if options.speakers:
        return {"speakers_expected": options.speakers}
    bounds = {"min_speakers_expected": options.min_speakers, "max_speakers_expected": options.max_speakers}
    told = {name: bound for name, bound in bounds.items() if bound}
    return {"speaker_options": told} if told else {}


def _terms(vocabulary: tuple[str, ...]) -> list[str]:
    if any(len(term.split()) > MAX_TERM_WORDS for term in vocabulary):
        detail = f"takes terms of at most {MAX_TERM_WORDS} words. Shorten the vocabulary or choose another engine."
        raise hearing_calls.failure("AssemblyAI", "unsupported", code="vocabulary_unsupported", detail=detail)
    return list(vocabulary)


def _policies(kinds: tuple[str, ...]) -> list[str]:
    """
    >>> _policies(("email", "phone_number"))
    ['email_address', 'phone_number']
    """
    wanted: set[str] = set()
    for kind in kinds:
        wanted |= POLICIES - _HARMLESS if kind == "all" else {_ALIASES.get(kind, kind)}
    if unknown := wanted - POLICIES:
        detail = f"cannot hide {', '.join(sorted(unknown))}; it knows all and {', '.join(sorted(POLICIES))}."
        raise hearing_calls.failure("AssemblyAI", "unsupported", code="redaction_unsupported", detail=detail)
    return sorted(wanted)
