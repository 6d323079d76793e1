"""Any decoded frames in, 16 kHz mono samples out; runs in the decoder's child process."""

from dataclasses import dataclass
from typing import Final

from av.audio import AudioFrame
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler

from speech.audio.errors import MediaError
from speech.audio.levels import PcmWriter
from speech.audio.mixing import mono_frame, needs_own_mixing
from speech.audio.pcm import SAMPLE_RATE_HZ
from speech.audio.splitting import Splitter

FINAL_SHAPE: Final = ("s16", "mono", SAMPLE_RATE_HZ)
BATCH_SAMPLES: Final = 8192  # resampling each 20 ms frame alone costs a third more CPU


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one job, as MediaLimits sent them."""

    max_duration_ms: int
    max_channels: int
    min_rate_hz: int
    max_rate_hz: int
    max_output_bytes: int


class Converter:
    """Resamples to the writer; a change of format in the middle starts a new resampler."""

    def __init__(self, writer: PcmWriter, *, bounds: Bounds, splitter: Splitter | None = None) -> None:
        self._writer = writer
        self._bounds = bounds
        self._splitter = splitter
        self._shape: tuple[str, str, int] | None = None
        self._fifo = AudioFifo()
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> None:
        """Convert one frame; raises MediaError when it breaks a limit."""
        _check_frame(frame, bounds=self._bounds)
        frame.pts = None  # broken timestamps must not stop the resampler
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            self._flush()
            self._shape = shape
            self._fifo = AudioFifo()
        self._fifo.write(frame)
        while batch := self._fifo.read(BATCH_SAMPLES):
            self._convert(batch)

    def finish(self) -> None:
        """Write what is still inside."""
        self._flush()
        self._writer.finish()
        if self._splitter is not None:
            self._splitter.finish()

    def _flush(self) -> None:
        if self._shape is None:
            return
        rest = self._fifo.read(partial=True)
        if rest is not None:
            self._convert(rest)
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None
        if self._splitter is not None:
            self._splitter.flush(mix_bytes=self._writer.size_bytes)

    def _convert(self, batch: AudioFrame) -> None:
        self._write([batch] if self._shape == FINAL_SHAPE else self._mix(batch))
        if self._splitter is not None:
            self._splitter.take(batch)

    def _mix(self, batch: AudioFrame) -> list[AudioFrame]:
        if self._resampler is None:
            self._resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        return self._resampler.resample(mono_frame(batch) if needs_own_mixing(batch) else batch)

    def _write(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._writer.write(memoryview(frame.planes[0])[: frame.samples * 2])
            self._check_length()

    def _check_length(self) -> None:
        too_long = self._writer.duration_ms > self._bounds.max_duration_ms
        if too_long or self._writer.size_bytes > self._bounds.max_output_bytes:
            minutes = self._bounds.max_duration_ms // 60_000
            raise MediaError(
                "media_too_long", f"The audio is longer than {minutes} minutes. Cut it into shorter files."
            )


def _check_frame(frame: AudioFrame, *, bounds: Bounds) -> None:
    channels, rate_hz = frame.layout.nb_channels, frame.sample_rate
    if channels > bounds.max_channels:
        raise MediaError(
            "media_too_many_channels",
            f"The audio has {channels} channels; at most {bounds.max_channels} are accepted. Mix it down first.",
        )
    if not bounds.min_rate_hz <= rate_hz <= bounds.max_rate_hz:
        raise MediaError(
            "media_bad_rate",
            f"The audio has a sample rate of {rate_hz} Hz; accepted are {bounds.min_rate_hz} to "
            f"{bounds.max_rate_hz} Hz. Resample it, for example to 16000 Hz.",
        )
