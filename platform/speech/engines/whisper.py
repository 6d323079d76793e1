"""The shared Whisper pool as an engine, one for each model. It works only inside the model's pool process, which alone
imports torch; everybody else reads here what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError
from speech.engines.ports import Capabilities, EngineRequest, Tick
from speech.engines.whisper_models import WEIGHTS
from speech.options import Feature
from speech.transcript import Transcript

if TYPE_CHECKING:
    from speech.whisper.pool import WhisperPool

PREFIX: Final = "whisper-"
MAX_PART_MS: Final = 600_000  # what a killed pool loses at most
# ruff: noqa: SIM905 - a list of a hundred quoted codes is no easier to read
LANGUAGES: Final = frozenset(
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml "
    "cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am "
    "yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue".split()
)
FEATURES: Final = frozenset[Feature]({"word_timestamps", "language_detection", "vocabulary", "prompt", "translation"})

_running: dict[str, WhisperPool] = {}


def engine_name(model: str) -> str:
    """What a model's engine is called.

    >>> engine_name("large-v3"), executor_of("whisper-large-v3"), executor_of("simulated")
    ('whisper-large-v3', 'pool:large-v3', None)
    """
    return PREFIX + model


def executor_of(engine: str) -> str | None:
    """The pool that serves an engine; None for one that is no Whisper."""
    return f"pool:{engine.removeprefix(PREFIX)}" if engine.startswith(PREFIX) else None


def serve_with(model: str, pool: WhisperPool) -> None:
    """From now on this process answers for a model."""
    _running[model] = pool


class Whisper:
    """A door to this process's pool; any number of callers at once."""

    def __init__(self, model: str) -> None:
        self._model = model
        self.capabilities = Capabilities(
            name=engine_name(model), languages=LANGUAGES, features=FEATURES, max_part_ms=MAX_PART_MS,
            quality="production", rtfx=WEIGHTS[model].rtfx, models=(model,),
        )  # fmt: skip

    def transcribe(
        self, pcm: PcmRange, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """What was said in `pcm`; raises EngineError."""
        pool = _running.get(self._model)
        if pool is None:
            detail = f"This process has no Whisper pool. Start one: PARLANCE_POOL_MODEL={self._model} parlance pool."
            raise EngineError(kind="transient", code="whisper_pool_elsewhere", detail=detail)
        return pool.transcribe(pcm.read(), request=request, on_tick=on_tick, tick_s=tick_s)

    def close(self) -> None:
        """The pool is the process's, not the caller's."""
