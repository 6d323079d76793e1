"""The decoder as the rest of Parlance sees it: a file in, 16 kHz mono samples and facts out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from speech.audio.channels import channel_paths
from speech.audio.child import Limits
from speech.audio.errors import MEDIA_CODES, MediaError
from speech.audio.sandbox import Sandbox, SandboxError, SandboxTimeout

HOUR_MS = 3_600_000
MAX_DURATION_MS = 12 * HOUR_MS
SLOWEST_RTFX = 20  # measured 90-2157 x real time; a busy machine may take its time
FIXED_DEADLINE_S = 120.0  # hours of silence fit into a few kilobytes: refusing them takes about a minute
SECONDS_PER_MIB = 60.0  # 1 MiB of 6 kbit/s speech is 23 minutes
MAX_JOBS = 200  # a fresh process after that many files, so that no leak and no corruption lives long


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What a file may ask for; beyond it a MediaError names the limit."""

    max_duration_ms: int = MAX_DURATION_MS
    max_channels: int = 32
    min_rate_hz: int = 4_000
    max_rate_hz: int = 384_000
    max_output_bytes: int = MAX_DURATION_MS * 32


@dataclass(frozen=True, slots=True)
class Audio:
    """A decoded file: facts about the source, and where its samples and levels are.

    `channel_pcm` and `channel_levels` name one file per channel, all exactly as long as the mix; empty when the
    channels were not asked for or there is only one.
    """

    duration_ms: int
    channels: int
    sample_rate_hz: int
    codec: str
    container: str
    peak_dbfs: float
    silence: bool
    damaged: bool
    pcm: Path
    levels: Path
    channel_pcm: tuple[Path, ...] = ()
    channel_levels: tuple[Path, ...] = ()


class Decoder:
    """Decodes untrusted media in a confined, persistent child process; one caller at a time."""

    def __init__(self, *, limits: Limits | None = None, max_jobs: int = MAX_JOBS) -> None:
        self._sandbox = Sandbox("speech.audio.decoder_process", limits=limits or Limits(), max_jobs=max_jobs)

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._sandbox.pid

    def start(self) -> None:
        """Start the child ahead of the first file."""
        self._sandbox.start()

    def decode(
        self,
        source: Path,
        *,
        pcm_out: Path,
        levels_out: Path,
        split_channels: bool = False,
        limits: MediaLimits | None = None,
        deadline_s: float | None = None,
        on_tick: Callable[[], None] | None = None,
        tick_s: float = 1.0,
    ) -> Audio:
        """Decode `source` (a local file) to `pcm_out` and `levels_out`; raises MediaError.

        `split_channels` also writes each channel to a file of its own, beside the mix. Without success no output
        remains. What `on_tick` raises passes through and ends the child.
        """
        limits = limits or MediaLimits()
        request = {
            "source": str(source.absolute()),
            "pcm_out": str(pcm_out.absolute()),
            "levels_out": str(levels_out.absolute()),
            "split_channels": split_channels,
            "limits": _as_json(limits),
        }
        try:
            answer = self._call(
                request,
                deadline_s=deadline_s or _deadline_s(source, limits=limits),
                on_tick=on_tick,
                tick_s=tick_s,
            )
            return _audio(answer, pcm=pcm_out, levels=levels_out)
        except BaseException:
            for mix in (pcm_out, levels_out):
                for path in (mix, *channel_paths(mix)):
                    path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """End the child process."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self,
        request: dict[str, Any],
        *,
        deadline_s: float,
        on_tick: Callable[[], None] | None,
        tick_s: float,
    ) -> dict[str, Any]:
        try:
            return self._sandbox.call(request, deadline_s=deadline_s, on_tick=on_tick, tick_s=tick_s)
        except SandboxTimeout as error:
            raise _failed("took too long") from error
        except SandboxError as error:
            raise _failed("stopped") from error


@lru_cache(maxsize=8)
def _as_json(limits: MediaLimits) -> dict[str, int]:
    """Kept, because a web process asks with the same limits again and again; not to be changed."""
    return asdict(limits)


def _audio(answer: dict[str, Any], *, pcm: Path, levels: Path) -> Audio:
    if "error" in answer:
        code, detail = answer["error"]
        raise MediaError(code, str(detail)) if code in MEDIA_CODES else _failed("answered nonsense")
    facts = dict(answer["audio"])
    apart = facts.pop("channels_apart")
    return Audio(
        **facts,
        pcm=pcm,
        levels=levels,
        channel_pcm=channel_paths(pcm, channels=apart),
        channel_levels=channel_paths(levels, channels=apart),
    )


def _deadline_s(source: Path, *, limits: MediaLimits) -> float:
    """Seconds on the wall: by size, and never more than the longest allowed audio can need."""
    longest_s = limits.max_duration_ms / 1000 / SLOWEST_RTFX
    return FIXED_DEADLINE_S + min(longest_s, source.stat().st_size / (1 << 20) * SECONDS_PER_MIB)


def _failed(what: str) -> MediaError:
    return MediaError(
        "media_decoder_failed",
        f"The decoder {what} on this file. Export it anew as WAV, FLAC or MP3 and send it again.",
    )
