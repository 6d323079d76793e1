"""Who asks the pool: parts of jobs, what is left of each, and who may be in the pool together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from speech.audio.cuts import Span
from speech.engines.errors import EngineError, EngineNotFree
from speech.engines.ports import Tick
from speech.whisper.windows import Decoded, Wish

if TYPE_CHECKING:
    from speech.whisper.sound import Samples

ALONE_FROM_ATTEMPT: Final = 3  # two processes may die under anybody; who was there both times is suspected
AGAIN_AFTER_S: Final = 1.0  # short enough for the part to wait for this engine instead of taking another one


@dataclass(slots=True, eq=False)
class Part:
    """One caller's audio: what is left to be heard, and what was."""

    samples: Samples
    wish: Wish
    tenant: str
    interactive: bool
    left: int
    came: float = field(default_factory=time.monotonic)
    begun: bool = False
    found: dict[str, tuple[Span, Decoded]] = field(default_factory=dict)
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: Exception) -> None:
        """Its caller is told; windows that wait are passed over."""
        self.error = error
        self.done.set()

    def wait(self, on_tick: Tick | None, *, tick_s: float) -> None:
        """Until all is heard; raises what it failed with, or what `on_tick` raises."""
        while not self.done.wait(tick_s):
            if on_tick is not None:
                try:
                    on_tick()
                except BaseException:
                    self.fail(InterruptedError())
                    raise
        if self.error is not None:
            raise self.error


@dataclass(frozen=True, slots=True)
class Waiting:
    """A window that has not been encoded yet, or whose row was lost."""

    part: Part
    span: Span
    key: str


class Door:
    """Lets callers in together, and one by itself who was there whenever a pool's process died.

    Who is in a process that dies loses an attempt with the one that killed it. So a suspect has to be alone: then the
    part that kills fails its own job, and the others are heard.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._suspect = False

    @contextmanager
    def passed(self, *, attempt: int, on_tick: Tick | None, tick_s: float) -> Iterator[None]:
        """Be inside; raises `EngineNotFree` while a suspect is, or waits to be, alone there."""
        alone = attempt >= ALONE_FROM_ATTEMPT
        with self._changed:
            if self._suspect:
                detail = "The pool hears one part by itself."
                raise EngineNotFree("whisper_pool_closed", detail=detail, retry_after_s=AGAIN_AFTER_S)
            self._suspect = alone
            try:
                while alone and self._inside:
                    self._changed.wait(tick_s)
                    if on_tick is not None:
                        on_tick()
            except BaseException:
                self._suspect = False
                raise
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._suspect = self._suspect and not alone
                self._changed.notify_all()


def failed(detail: str) -> EngineError:
    """The pool could not hear a part: it is tried again, and after the last attempt its job fails."""
    return EngineError(kind="transient", code="whisper_pool_failed", detail=f"{detail} It is tried again.")


def given_back(detail: str) -> EngineNotFree:
    """The pool leaves: what it has in hand is another one's, and no attempt is used up."""
    return EngineNotFree("whisper_pool_leaves", detail=detail, retry_after_s=0.0)
