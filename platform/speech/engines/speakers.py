"""Which engines can speak: name to factory."""

from collections.abc import Callable
from typing import Final

from speech.engines.espeak_voice import EspeakVoice
from speech.engines.simulated_voice import SimulatedVoice
from speech.engines.speaking import TextToSpeech

SPEAKERS: Final[dict[str, Callable[[], TextToSpeech]]] = {
    "espeak-ng": EspeakVoice,
    "simulated": SimulatedVoice,
}
