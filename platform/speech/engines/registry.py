"""Which engines exist: name to factory. Nothing heavy is loaded before a factory is called."""

from collections.abc import Callable
from typing import Final

from speech.engines.pocketsphinx import Pocketsphinx
from speech.engines.ports import SpeechToText
from speech.engines.simulated import Simulated

ENGINES: Final[dict[str, Callable[[], SpeechToText]]] = {
    "pocketsphinx": Pocketsphinx,
    "simulated": Simulated,
}
