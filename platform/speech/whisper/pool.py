"""The pool: one thread owns the model, and windows of all its callers share each of the decoder's steps."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Final

import numpy as np
import torch

from observe.facade import failpoint, get_logger, record
from observe.instruments import WHISPER_AUDIO_SECONDS, WHISPER_STEP_ROWS, WHISPER_TOKENS, WHISPER_WAIT_SECONDS
from speech.audio.cuts import Span
from speech.engines.ports import EngineRequest, Tick
from speech.options import Options
from speech.transcript import Segment, Transcript, assemble
from speech.whisper import fallback, sound, texts
from speech.whisper.batch import Batch
from speech.whisper.callers import Door, Part, Waiting, failed, given_back
from speech.whisper.encoder import Encoder
from speech.whisper.tokenizing import multilingual
from speech.whisper.turns import Turns
from speech.whisper.windows import Decoded, Window, Wish

MOST_AT_ONCE: Final = 4  # windows admitted between two steps: those at work do not wait for many to be encoded
LONGEST_HOLD: Final = 16  # turns: some fifty ms of a GPU's
MIN_PART_MS: Final = 100

log = get_logger(__name__)


class WhisperPool:
    """Hears windows of many callers at once; `start` it before the first."""

    def __init__(self, model: Any, *, rows: int, together: int = 1) -> None:
        self._model, self._rows = model, rows
        self._encoder = Encoder(model, together=together)
        self._held = 0  # turns in which windows waited for the encoder's company
        self._tokenizer = multilingual(model.num_languages)
        self._batch = self._new_batch()
        self._turns: Turns[Waiting] = Turns()
        self._again: deque[Waiting] = deque()  # whose rows were lost: they go first
        self._suspects: deque[Waiting] = deque()  # one of them broke the batch: each runs alone
        self._at_work: dict[str, Waiting] = {}
        self._changed = threading.Condition()
        self._door = Door()
        self._parts: set[Part] = set()
        self._leaving = self._stopping = False
        self._numbers = 0
        self._thread = threading.Thread(target=self._run, name="whisper-pool", daemon=True)

    @property
    def rows(self) -> int:
        """How many windows share a step: fewer than was set once memory ran out."""
        return self._rows

    def start(self) -> None:
        """Compile and allocate what the first window needs, then take callers."""
        silence = np.zeros(sound.WINDOW_MS * 16, np.int16)
        wish = Wish(language="en", words=True, temperatures=(0.0,), max_tokens=4)
        list(self._batch.decode([Window("warm", self._encoder.hear([silence])[0], wish)]))
        self._thread.start()

    def leave(self) -> None:
        """Take no more callers, and give back parts of which nothing was begun; the others are heard to their end."""
        with self._changed:
            self._leaving = True
            for part in self._parts:
                if not part.begun:
                    part.fail(given_back("The pool leaves."))

    def stop(self) -> None:
        """End the thread after its turn; whatever is not heard to its end is given back at once."""
        with self._changed:
            self._leaving = self._stopping = True
            self._fail_all(given_back("The pool was stopped."))
            self._changed.notify()

    def join(self) -> None:
        """Wait until the thread has ended: because it was stopped, or because the device cannot be used any more."""
        if self._thread.ident is not None:
            self._thread.join()

    def transcribe(
        self, pcm: bytes, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """What was said in one part; any number of threads may ask at once. Raises EngineError."""
        samples = np.frombuffer(pcm, "<i2").astype(np.int16, copy=False)
        length_ms = len(samples) * 1000 // 16_000
        spans = sound.spans(samples) if length_ms >= MIN_PART_MS else ()
        part = Part(samples, self._wish(request.options), request.tenant, request.interactive, left=len(spans))
        if spans:
            with self._door.passed(attempt=request.attempt, on_tick=on_tick, tick_s=tick_s):
                self._hear(part, spans, on_tick=on_tick, tick_s=tick_s)
        return self._transcript(part, length_ms=length_ms)

    def _hear(self, part: Part, spans: tuple[Span, ...], *, on_tick: Tick | None, tick_s: float) -> None:
        self._push(part, spans)
        try:
            part.wait(on_tick, tick_s=tick_s)
        finally:
            with self._changed:
                self._parts.discard(part)

    def _push(self, part: Part, spans: tuple[Span, ...]) -> None:
        with self._changed:
            if self._leaving:
                raise given_back("The pool leaves.")
            self._parts.add(part)
            waiting = [Waiting(part, span, f"{self._numbers + place}") for place, span in enumerate(spans)]
            self._numbers += len(spans)
            self._turns.push(waiting, tenant=part.tenant, interactive=part.interactive)
            self._changed.notify()

    def _wish(self, options: Options) -> Wish:
        language = options.language.partition("-")[0].lower() if options.language else None
        names = tuple(name.partition("-")[0].lower() for name in options.languages)
        told = " ".join([", ".join(options.vocabulary), options.prompt]).strip()
        prompt = tuple(self._tokenizer.encode(" " + told)) if told else ()
        ladder = Wish().temperatures
        if options.temperature:
            asked = float(options.temperature)
            ladder = (asked, *(step for step in ladder if step > asked))
        return Wish(
            language, languages=names, task=options.task, prompt=prompt, temperatures=ladder,
            words=options.word_timestamps is not False and options.task == "transcribe",
        )  # fmt: skip

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # the process can only be started again
            log.exception("whisper_pool_died", error=type(error).__name__)
            with self._changed:
                self._leaving = True
                self._fail_all(failed("The Whisper pool stopped working."))

    def _fail_all(self, error: Exception) -> None:
        for part in self._parts:
            if not part.done.is_set():
                part.fail(error)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._stopping or len(self._turns) or self._again or self._suspects or self._at_work):
                    self._changed.wait()
                if self._stopping:
                    return
                chosen = self._choose()
            self._turn(chosen)

    def _choose(self) -> list[Waiting]:
        if self._suspects:
            return [] if self._at_work else [self._suspects.popleft()]
        room = self._room()
        chosen: list[Waiting] = []
        while len(chosen) < room and (self._again or len(self._turns)):
            waiting = self._again.popleft() if self._again else self._turns.pop()
            if waiting.part.error is None:
                waiting.part.begun = True
                chosen.append(waiting)
        return chosen

    def _room(self) -> int:
        """How many windows may begin now: an encoder that takes several at a time is waited for a few turns."""
        if not self._at_work:
            return self._batch.free
        if 0 < self._batch.free < self._encoder.together and self._held < LONGEST_HOLD:
            self._held += 1
            return 0
        self._held = 0
        return min(self._batch.free, max(MOST_AT_ONCE, self._encoder.together))

    def _turn(self, chosen: list[Waiting]) -> None:
        self._at_work |= {waiting.key: waiting for waiting in chosen}
        picked = self._batch.picked
        try:
            ended = self._batch.admit(self._windows(chosen))
            record(WHISPER_STEP_ROWS, len(self._at_work))
            ended += self._batch.step()
        except Exception as error:  # whatever it is, it is about windows, and those are told of it
            self._recover(error)
            return
        record(WHISPER_TOKENS, max(0, self._batch.picked - picked))
        for decoded in ended:
            self._deliver(decoded)

    def _windows(self, chosen: list[Waiting]) -> list[Window]:
        heard = self._encoder.hear([sound.stretch(waiting.part.samples, waiting.span) for waiting in chosen])
        return [self._window(waiting, features) for waiting, features in zip(chosen, heard, strict=True)]

    def _window(self, waiting: Waiting, features: Any) -> Window:
        record(WHISPER_WAIT_SECONDS, time.monotonic() - waiting.part.came, _class(waiting.part))
        frames = max(1, waiting.span.duration_ms // sound.POSITION_MS)
        return Window(waiting.key, features, waiting.part.wish, frames=frames)

    def _deliver(self, decoded: Decoded) -> None:
        waiting = self._at_work.pop(decoded.key)
        part = waiting.part
        failpoint(f"whisper.heard.{part.tenant}")
        record(WHISPER_AUDIO_SECONDS, waiting.span.duration_ms / 1000, _class(part))
        part.found[decoded.key] = waiting.span, decoded
        part.left -= 1
        if part.left == 0:
            part.done.set()

    def _recover(self, error: Exception) -> None:
        """Make a new batch and have every row begin again: all with fewer rows, or each alone.

        Raises the error itself when the device is lost with it.
        """
        if isinstance(error, torch.AcceleratorError):  # after an error of a kernel CUDA refuses everything
            raise error
        lost = list(self._at_work.values())
        self._at_work.clear()
        if _is_memory(error) and self._rows > 1:
            self._rows = max(1, self._rows // 2)
            self._again.extendleft(reversed(lost))
            log.warning("whisper_rows_halved", rows=self._rows)
        elif len(lost) == 1:
            lost[0].part.fail(failed("The Whisper pool could not hear this part."))
            log.warning("whisper_window_failed", error=type(error).__name__)
        else:
            self._suspects.extend(lost)
            log.warning("whisper_batch_failed", error=type(error).__name__, rows=len(lost))
        self._batch = self._new_batch()

    def _new_batch(self) -> Batch:
        while True:
            try:
                return Batch(self._model, tokenizer=self._tokenizer, slots=self._rows)
            except Exception as error:
                if not _is_memory(error) or self._rows == 1:
                    raise
                self._rows //= 2

    def _transcript(self, part: Part, *, length_ms: int) -> Transcript:
        heard = [part.found[key] for key in sorted(part.found, key=int)]
        spoken = [(span, one) for span, one in heard if not _is_silence(one)]
        made: list[Segment] = []
        for span, one in spoken:
            found = texts.stretches(one.tokens, begin=self._tokenizer.timestamp_begin, length_ms=span.duration_ms)
            made += texts.segments(found, words=one.words, decode=self._tokenizer.decode, offset_ms=span.start_ms)
        language, sure = _language(spoken or heard, part.wish)
        return assemble(made, language=language, duration_ms=length_ms, language_confidence=sure)


def _language(heard: list[tuple[Span, Decoded]], wish: Wish) -> tuple[str | None, float | None]:
    """The language that was heard longest; of a translation it is English."""
    if wish.task == "translate":
        return "en", None
    lengths: dict[str, int] = {}
    for span, one in heard:
        lengths[one.language] = lengths.get(one.language, 0) + span.duration_ms
    language = max(lengths, key=lambda name: lengths[name]) if lengths else wish.language
    sure = [one.language_probability for _, one in heard if one.language == language and one.language_probability]
    return language, min(sure, default=None)


def _is_silence(one: Decoded) -> bool:
    return fallback.is_silence(no_speech=one.no_speech, avg_logprob=one.avg_logprob)


def _class(part: Part) -> str:
    return "interactive" if part.interactive else "batch"


def _is_memory(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
