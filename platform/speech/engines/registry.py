"""Which engines exist: name to factory. Nothing heavy is loaded before a factory is called."""

from collections.abc import Callable
from typing import Final

from speech.engines.assemblyai import AssemblyAi
from speech.engines.azure import Azure
from speech.engines.deepgram import Deepgram
from speech.engines.google import Google
from speech.engines.openai import OpenAi
from speech.engines.pocketsphinx import Pocketsphinx
from speech.engines.ports import CloudSpeechToText, SpeechToText
from speech.engines.providers import Providers
from speech.engines.simulated import Simulated
from speech.engines.simulated_cloud import SimulatedCloud

ENGINES: Final[dict[str, Callable[[], SpeechToText]]] = {
    "pocketsphinx": Pocketsphinx,
    "simulated": Simulated,
}

# Those of providers, the ones to prefer first; None for one that is not set up.
CLOUD_ENGINES: Final[dict[str, Callable[[Providers], CloudSpeechToText | None]]] = {
    "deepgram": lambda providers: Deepgram(providers.deepgram) if providers.deepgram else None,
    "assemblyai": lambda providers: AssemblyAi(providers.assemblyai) if providers.assemblyai else None,
    "google": lambda providers: Google(providers.google) if providers.google else None,
    "azure": lambda providers: Azure(providers.azure) if providers.azure else None,
    "openai": lambda providers: OpenAi(providers.openai) if providers.openai else None,
    "simulated-cloud": lambda _: SimulatedCloud(),
}


def hearers_with(providers: Providers) -> dict[str, CloudSpeechToText]:
    """The providers' engines that hear with these providers set up.

    >>> list(hearers_with(Providers()))
    ['simulated-cloud']
    """
    made = {name: make(providers) for name, make in CLOUD_ENGINES.items()}
    return {name: engine for name, engine in made.items() if engine is not None}
