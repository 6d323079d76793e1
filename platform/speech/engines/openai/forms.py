"""What is asked of OpenAI: the fields of its form for our options. Pure."""

from __future__ import annotations

from speech.engines.openai.models import Model
from speech.engines.ports import EngineRequest
from speech.languages import primary

Form = dict[str, str | list[str]]


def form_of(request: EngineRequest, *, model: Model) -> Form:
    """The fields beside the file; lists have names that end in []."""
    options = request.options
    form: Form = {"model": model.name, "response_format": model.answer_form}
    if options.prompt:
        form["prompt"] = options.prompt
    if options.temperature:
        form["temperature"] = options.temperature
    if options.task == "translate":
        return form
    if model.answer_form == "verbose_json":
        wants_words = options.word_timestamps is not False
        form["timestamp_granularities[]"] = ["word", "segment"] if wants_words else ["segment"]
    if model.answer_form == "diarized_json":
        form["chunking_strategy"] = "auto"
    return form | _languages(request, model=model) | _terms(request)


def _languages(request: EngineRequest, *, model: Model) -> Form:
    options = request.options
    if options.language:
        return {"language": primary(options.language)}
    if options.languages and model.name == "gpt-transcribe":
        return {"languages[]": [primary(tag) for tag in options.languages]}
    return {}


def _terms(request: EngineRequest) -> Form:
    return {"keywords[]": list(request.options.vocabulary)} if request.options.vocabulary else {}
