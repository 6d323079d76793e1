"""Writing every channel to a file of its own; runs in the decoder's child process."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
from av.audio import AudioFrame
from av.audio.resampler import AudioResampler

from speech.audio.channels import MAX_SPLIT_CHANNELS, channel_path
from speech.audio.errors import MediaError
from speech.audio.levels import PcmWriter, open_writer
from speech.audio.mixing import mono_frame, needs_own_mixing
from speech.audio.pcm import SAMPLE_RATE_HZ


class Splitter:
    """Takes the frames that the mix is made of, and keeps every channel exactly as long as the mix.

    The first frame says how many channels there are; nothing is written for mono. A later stretch with another number
    of channels goes as its mix to every channel, so that no sound is lost.
    """

    def __init__(self, pcm_out: Path, *, levels_out: Path, files: ExitStack) -> None:
        self._outputs = (pcm_out, levels_out)
        self._files = files
        self._writers: list[PcmWriter] | None = None
        self._resampler: AudioResampler | None = None

    @property
    def channels(self) -> int:
        """How many channels have a file of their own; 0 for mono."""
        return len(self._writers or ())

    def take(self, frame: AudioFrame) -> None:
        """Resample one stretch; between two calls of `flush` all have the same format."""
        if self._writers is None:
            self._writers = self._open(frame.layout.nb_channels)
        if not self._writers:
            return
        if frame.layout.nb_channels != self.channels and needs_own_mixing(frame):
            frame = mono_frame(frame)
        if self._resampler is None:
            layout = frame.layout if frame.layout.nb_channels == self.channels else "mono"
            self._resampler = AudioResampler(format="s16", layout=layout, rate=SAMPLE_RATE_HZ)
        self._write(self._resampler.resample(frame))

    def flush(self, *, mix_bytes: int) -> None:
        """End a stretch of one format; `mix_bytes` is the size of the mix up to here."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None
        for writer in self._writers or ():
            writer.fit(mix_bytes)

    def finish(self) -> None:
        """Write what is pending, after the last flush."""
        for writer in self._writers or ():
            writer.finish()

    def _open(self, channels: int) -> list[PcmWriter]:
        if channels > MAX_SPLIT_CHANNELS:
            raise MediaError(
                "media_too_many_channels",
                f"The audio has {channels} channels; at most {MAX_SPLIT_CHANNELS} can be transcribed apart. Send it "
                f"without splitting channels, or as files of at most {MAX_SPLIT_CHANNELS} channels.",
            )
        if channels == 1:
            return []
        return [self._open_one(channel) for channel in range(channels)]

    def _open_one(self, channel: int) -> PcmWriter:
        pcm_out, levels_out = (channel_path(mix, channel=channel) for mix in self._outputs)
        return open_writer(pcm_out, levels_out=levels_out, files=self._files)

    def _write(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            layout_channels = frame.layout.nb_channels
            packed = np.frombuffer(memoryview(frame.planes[0]), dtype="<i2")[: frame.samples * layout_channels]
            columns = np.ascontiguousarray(packed.reshape(-1, layout_channels).T)
            for channel, writer in enumerate(self._writers or ()):
                writer.write(columns[channel % layout_channels].tobytes())
