"""On request each channel of a recording becomes a file of its own, exactly as long as the mix."""

import wave
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from speech.audio.channels import channel_path
from speech.audio.errors import MediaError
from speech.audio.levels import read_levels
from speech.audio.media import Audio, Decoder, MediaLimits
from speech.audio.splitting import Splitter

from .conftest import encode, tone, wav_file


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [2, 3, 6, 8])
def test_channels_are_written_apart_and_as_long_as_the_mix(
    channels: int, rate_hz: int, decoder: Decoder, tmp_path: Path
) -> None:
    source = _many_tones(tmp_path / "a.wav", channels=channels, rate_hz=rate_hz, samples=rate_hz + 137)

    audio = _split(decoder, source)

    sizes = {path.stat().st_size for path in (audio.pcm, *audio.channel_pcm)}
    assert sizes == {audio.duration_ms * 32}
    assert [_loudest_hz(path) for path in audio.channel_pcm] == [200 + 100 * channel for channel in range(channels)]
    assert [len(read_levels(path)) for path in audio.channel_levels] == [len(read_levels(audio.levels))] * channels


def test_the_mix_is_the_same_whether_or_not_channels_are_written_apart(decoder: Decoder, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.mp3", container="mp3", codec="libmp3lame", rate_hz=44_100)

    alone, beside = _split(decoder, source, split_channels=False), tmp_path / "alone.pcm"
    alone.pcm.rename(beside)

    assert alone.channel_pcm == alone.channel_levels == ()
    assert _split(decoder, source).pcm.read_bytes() == beside.read_bytes()


def test_a_mono_file_has_no_channels_apart(decoder: Decoder, tmp_path: Path) -> None:
    audio = _split(decoder, wav_file(tmp_path / "a.wav"))

    assert (audio.channels, audio.channel_pcm, audio.channel_levels) == (1, (), ())
    assert not list(tmp_path.glob("*.channel*"))


def test_each_channel_holds_its_own_samples_and_nothing_of_the_other(decoder: Decoder, tmp_path: Path) -> None:
    voice = (8000 * np.sin(np.arange(16_000) / 5)).astype("<i2")
    source = _wav(tmp_path / "a.wav", samples=np.stack([voice, np.zeros_like(voice)]), rate_hz=16_000)

    left, right = (np.frombuffer(path.read_bytes(), dtype="<i2") for path in _split(decoder, source).channel_pcm)

    assert np.array_equal(left, voice)
    assert not right.any()


def test_of_equal_channels_each_is_the_mix_to_its_last_sample(decoder: Decoder, tmp_path: Path) -> None:
    audio = _split(decoder, wav_file(tmp_path / "a.wav", channels=2, rate_hz=44_100, samples=44_100))
    mix, *channels = (np.frombuffer(path.read_bytes(), dtype="<i2") for path in (audio.pcm, *audio.channel_pcm))

    assert np.abs(mix[-32:].astype(int)).max() > 100
    assert all(np.abs(channel.astype(int) - mix).max() <= 2 for channel in channels)


def test_when_the_number_of_channels_changes_no_sound_is_lost(decoder: Decoder, tmp_path: Path) -> None:
    two = encode(tmp_path / "two.aac", container="adts", codec="aac", rate_hz=44_100)
    one = _mono_aac(tmp_path / "one.aac")
    source = tmp_path / "a.aac"
    source.write_bytes(two.read_bytes() + one.read_bytes() + two.read_bytes())

    audio = _split(decoder, source)

    assert 5900 < audio.duration_ms < 6200
    assert len(audio.channel_pcm) == 2
    assert {path.stat().st_size for path in audio.channel_pcm} == {audio.duration_ms * 32}
    assert all(_is_loud_throughout(path) for path in audio.channel_pcm)


def test_more_than_eight_channels_are_not_written_apart(decoder: Decoder, tmp_path: Path) -> None:
    source = wav_file(tmp_path / "a.wav", channels=9)
    assert _split(decoder, source, split_channels=False).channels == 9

    (tmp_path / "out.pcm").unlink()
    (tmp_path / "out.levels").unlink()
    with pytest.raises(MediaError) as caught:
        _split(decoder, source)

    assert caught.value.code == "media_too_many_channels"
    assert "at most 8 can be transcribed apart" in caught.value.detail
    assert list(tmp_path.iterdir()) == [source]


def test_of_a_failed_split_nothing_remains(decoder: Decoder, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.flac", container="flac", codec="flac", seconds=5)

    with pytest.raises(MediaError) as caught:
        _split(decoder, source, limits=MediaLimits(max_duration_ms=4000))

    assert caught.value.code == "media_too_long"
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("mix_samples", [1600, 800], ids=["longer", "shorter"])
def test_a_channel_is_filled_or_cut_to_the_mix(mix_samples: int, tmp_path: Path) -> None:
    """libswresample gives both the same length; damage between the two must not part them."""
    frame = av.AudioFrame.from_ndarray(np.full((1, 2 * 1200), 500, dtype=np.int16), format="s16", layout="stereo")
    frame.sample_rate = 16_000
    with ExitStack() as files:
        splitter = Splitter(tmp_path / "pcm", levels_out=tmp_path / "levels", files=files)
        splitter.take(frame)
        splitter.flush(mix_bytes=2 * mix_samples)
        splitter.finish()

    for channel in range(2):
        samples = np.frombuffer(channel_path(tmp_path / "pcm", channel=channel).read_bytes(), dtype="<i2")
        assert len(samples) == mix_samples
        assert (samples[:800] == 500).all()
        assert not samples[1200:].any()


def _split(decoder: Decoder, source: Path, *, split_channels: bool = True, limits: MediaLimits | None = None) -> Audio:
    folder = source.parent
    return decoder.decode(
        source, pcm_out=folder / "out.pcm", levels_out=folder / "out.levels", split_channels=split_channels,
        limits=limits,
    )  # fmt: skip


def _many_tones(path: Path, *, channels: int, rate_hz: int, samples: int) -> Path:
    """Channel 0 sounds at 200 Hz, channel 1 at 300 Hz, and so on."""
    times_s = np.arange(samples) / rate_hz
    tones = [8000 * np.sin(2 * np.pi * (200 + 100 * channel) * times_s) for channel in range(channels)]
    return _wav(path, samples=np.stack(tones), rate_hz=rate_hz)


def _wav(path: Path, *, samples: Any, rate_hz: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.T.astype("<i2").tobytes())
    return path


def _mono_aac(path: Path) -> Path:
    with av.open(str(path), "w", format="adts") as output:
        stream = output.add_stream("aac", rate=44_100)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(tone(2, rate_hz=44_100, channels=1), format="s16", layout="mono")
        frame.sample_rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return path


def _loudest_hz(path: Path) -> int:
    second = np.frombuffer(path.read_bytes(), dtype="<i2")[:16_000]
    return int(np.argmax(np.abs(np.fft.rfft(second))))


def _is_loud_throughout(path: Path) -> bool:
    """Louder than -20 dBFS in each tenth of a second, but for the seams of the encoder."""
    samples = np.frombuffer(path.read_bytes(), dtype="<i2")
    tenths = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600).astype(np.int32)
    return int(np.count_nonzero(np.abs(tenths).max(axis=1) < 3277)) <= 3
