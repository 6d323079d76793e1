"""pocketsphinx: a real engine that needs no download and no key. English only, demo quality, and it says so."""

from typing import Any, Final

from speech.audio.child import Limits
from speech.audio.pcm import PcmRange
from speech.audio.sandbox import Sandbox, SandboxError, SandboxTimeout
from speech.engines.errors import EngineError
from speech.engines.ports import Capabilities, EngineRequest, EngineWarning, Tick
from speech.transcript import Segment, Transcript, Word, assemble, clean_text, join_texts

SLOWEST_RTFX: Final = 0.2  # measured 2-6 on one core; a core shared by ten still makes it
FIXED_DEADLINE_S: Final = 30.0
MAX_JOBS: Final = 100
PAUSE_MS: Final = 600  # a longer gap between words starts a new segment
MIN_PART_MS: Final = 100  # shorter audio has no room for a word

CAPABILITIES: Final = Capabilities(
    name="pocketsphinx",
    languages=frozenset({"en"}),
    features=frozenset({"word_timestamps"}),
    max_part_ms=300_000,
    quality="demo",
    rtfx=3.0,
    models=("en-us",),
    warnings=(
        EngineWarning(
            code="demo_engine",
            detail="Transcribed by the built-in demo engine (pocketsphinx): about one word in four is wrong. "
            "Set up Whisper or a provider's key for text you can rely on.",
        ),
    ),
)


class Pocketsphinx:
    """Runs in a confined child process; one caller at a time."""

    def __init__(self, *, limits: Limits | None = None, max_jobs: int = MAX_JOBS) -> None:
        self._sandbox = Sandbox(
            "speech.engines.pocketsphinx_process",
            limits=limits or Limits(file_size_bytes=0),
            max_jobs=max_jobs,
        )

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def start(self) -> None:
        """Load the model ahead of the first job (about half a second)."""
        self._sandbox.start()

    def transcribe(
        self, pcm: PcmRange, *, request: EngineRequest, on_tick: Tick | None = None, tick_s: float = 1.0
    ) -> Transcript:
        """English text with word times; raises EngineError."""
        _check(pcm, request=request)
        if pcm.duration_ms < MIN_PART_MS:
            return assemble((), language="en", duration_ms=pcm.duration_ms)
        job = {"path": str(pcm.path.resolve()), "start_ms": pcm.start_ms, "end_ms": pcm.end_ms}
        deadline_s = FIXED_DEADLINE_S + pcm.duration_ms / 1000 / SLOWEST_RTFX
        try:
            answer = self._sandbox.call(job, deadline_s=deadline_s, on_tick=on_tick, tick_s=tick_s)
        except SandboxTimeout as error:
            raise _transient("engine_timeout", "The engine took too long. The part is tried again.") from error
        except SandboxError as error:
            raise _transient("engine_died", "The engine's process ended. The part is tried again.") from error
        return _transcript(answer["words"], duration_ms=pcm.duration_ms)

    def close(self) -> None:
        self._sandbox.close()


def _check(pcm: PcmRange, *, request: EngineRequest) -> None:
    if not CAPABILITIES.speaks(request.language):
        raise EngineError(
            kind="permanent",
            code="language_unsupported",
            detail="pocketsphinx understands English only. Ask for an engine with that language.",
        )
    if pcm.duration_ms > CAPABILITIES.max_part_ms:
        raise EngineError(
            kind="permanent", code="part_too_long", detail="Parts for pocketsphinx are at most 5 minutes. Cut it."
        )


def _transcript(found: list[list[Any]], *, duration_ms: int) -> Transcript:
    words = [
        Word(clean_text(text), start_ms=start_ms, end_ms=end_ms, confidence=confidence)
        for text, start_ms, end_ms, confidence in found
    ]
    segments = (
        Segment(
            id=0,
            start_ms=group[0].start_ms,
            end_ms=group[-1].end_ms,
            text=join_texts((word.text for word in group), language="en"),
            words=tuple(group),
        )
        for group in _split_at_pauses(words)
    )
    return assemble(segments, language="en", duration_ms=duration_ms)


def _split_at_pauses(words: list[Word]) -> list[list[Word]]:
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start_ms - groups[-1][-1].end_ms <= PAUSE_MS:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _transient(code: str, detail: str) -> EngineError:
    return EngineError(kind="transient", code=code, detail=detail)
