"""OpenAI's models that hear: what each can do, and its last day. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from speech.engines import hearing_calls
from speech.engines.ports import EngineRequest
from speech.options import FEATURES, Feature

_SHUTDOWN: Final = date(2027, 2, 26)
LANGUAGES: Final = frozenset(
    {"af", "ar", "hy", "az", "be", "bs", "bg", "ca", "zh", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "gl", "de",
     "el", "he", "hi", "hu", "is", "id", "it", "ja", "kn", "kk", "ko", "lv", "lt", "mk", "ms", "mr", "mi", "ne", "no",
     "nb", "fa", "pl", "pt", "ro", "ru", "sr", "sk", "sl", "es", "sw", "sv", "tl", "fil", "ta", "th", "tr", "uk", "ur",
     "vi", "cy"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """A model; `answer_form` is the response_format that tells most."""

    name: str
    features: frozenset[Feature]
    answer_form: str = "json"
    shutdown_date: date | None = None
    replacement: str = ""


# The ones to prefer first: a request gets the first that can do what it asks for.
MODELS: Final = (
    Model("gpt-transcribe", frozenset({"language_detection", "vocabulary", "prompt"})),
    Model("whisper-1", frozenset({"word_timestamps", "language_detection", "prompt", "translation"}), "verbose_json",
          _SHUTDOWN, "gpt-transcribe"),
    Model("gpt-4o-transcribe-diarize", frozenset({"language_detection", "diarization"}), "diarized_json", _SHUTDOWN,
          "gpt-transcribe"),
    Model("gpt-4o-transcribe", frozenset({"language_detection", "prompt"}), "json", _SHUTDOWN, "gpt-transcribe"),
    *(
        Model(name, frozenset({"language_detection", "prompt"}), "json", _SHUTDOWN, "gpt-transcribe")
        for name in ("gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15")
    ),
)  # fmt: skip


def living(today: date) -> Sequence[Model]:
    """The models that OpenAI has not shut down."""
    return [model for model in MODELS if model.shutdown_date is None or today < model.shutdown_date]


def chosen(request: EngineRequest, *, today: date) -> Model:
    """The named model, or the first that can do what the options ask for; raises EngineError."""
    named, needs = request.model or request.options.model, request.options.needs()
    if named:
        return _named(named, needs=needs, today=today)
    for model in living(today):
        if needs <= model.features:
            return model
    wishes = ", ".join(FEATURES[need] for need in sorted(needs))
    detail = f"has no model that can do all of this: {wishes}. Choose another engine."
    raise hearing_calls.failure("OpenAI", "unsupported", detail=detail)


def _named(name: str, *, needs: frozenset[Feature], today: date) -> Model:
    model = next((model for model in MODELS if model.name == name), None)
    if model is None:
        raise hearing_calls.failure("OpenAI", "unsupported", detail=f"has no model {name}. Choose another.")
    if model not in living(today):
        detail = f"shut {name} down on {model.shutdown_date}; its successor is {model.replacement}. Choose that one."
        raise hearing_calls.failure("OpenAI", "unsupported", code="model_retired", detail=detail)
    if lacking := sorted(needs - model.features):
        wishes = ", ".join(FEATURES[need] for need in lacking)
        raise hearing_calls.failure("OpenAI", "unsupported", detail=f"cannot do {wishes} with {name}. Choose another.")
    return model
