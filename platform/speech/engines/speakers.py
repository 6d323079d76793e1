"""Which engines can speak: name to factory, the ones to prefer first. None for one that is not set up."""

from collections.abc import Callable
from typing import Final

from speech.engines import openai_voice, polly
from speech.engines.azure_voice import AzureVoice
from speech.engines.espeak_voice import EspeakVoice
from speech.engines.openai_voice import OpenAiVoice
from speech.engines.polly import Polly
from speech.engines.polly_voices import Family, families_in
from speech.engines.providers import Providers
from speech.engines.simulated_voice import SimulatedVoice
from speech.engines.speaking import TextToSpeech

Factory = Callable[[Providers], TextToSpeech | None]


def _polly(family: Family) -> Factory:
    def make(providers: Providers) -> TextToSpeech | None:
        settings = providers.polly
        there = settings is not None and family in families_in(settings.region)
        return Polly(settings, family=family) if settings is not None and there else None

    return make


def _openai(model: openai_voice.Model) -> Factory:
    return lambda providers: OpenAiVoice(providers.openai, model=model) if providers.openai else None


SPEAKERS: Final[dict[str, Factory]] = {
    polly.NAMES["neural"]: _polly("neural"),
    "azure": lambda providers: AzureVoice(providers.azure) if providers.azure else None,
    polly.NAMES["standard"]: _polly("standard"),
    polly.NAMES["generative"]: _polly("generative"),
    polly.NAMES["long-form"]: _polly("long-form"),
    **{model.engine: _openai(model) for model in openai_voice.MODELS},
    "espeak-ng": lambda _: EspeakVoice(),
    "simulated": lambda _: SimulatedVoice(),
}


def speakers_with(providers: Providers) -> dict[str, TextToSpeech]:
    """The engines that speak with these providers set up.

    >>> list(speakers_with(Providers()))
    ['espeak-ng', 'simulated']
    """
    made = {name: make(providers) for name, make in SPEAKERS.items()}
    return {name: engine for name, engine in made.items() if engine is not None}
