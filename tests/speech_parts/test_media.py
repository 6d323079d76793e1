"""Good media of every kind becomes 16 kHz mono; bad media becomes a clear refusal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech.audio.child import Limits
from speech.audio.errors import MediaError
from speech.audio.levels import read_levels
from speech.audio.media import Audio, Decoder
from speech.audio.pcm import PcmRange

from .conftest import encode, wav_file

Decode = Callable[..., Audio]

GOOD = {
    "a.wav": ("wav", "pcm_s16le", 48_000),
    "a24.wav": ("wav", "pcm_s24le", 48_000),
    "af.wav": ("wav", "pcm_f32le", 44_100),
    "a.mulaw.wav": ("wav", "pcm_mulaw", 8_000),
    "a.w64": ("w64", "pcm_s16le", 48_000),
    "a.mp3": ("mp3", "libmp3lame", 44_100),
    "a.m4a": ("ipod", "aac", 44_100),
    "alac.m4a": ("ipod", "alac", 44_100),
    "a.flac": ("flac", "flac", 48_000),
    "a.opus": ("ogg", "libopus", 48_000),
    "a.webm": ("webm", "libopus", 48_000),
    "a.aac": ("adts", "aac", 44_100),
    "a.amr": ("amr", "libopencore_amrnb", 8_000),
    "a.3gp": ("3gp", "libopencore_amrnb", 8_000),
    "a.aiff": ("aiff", "pcm_s16be", 44_100),
    "a.ac3": ("ac3", "ac3", 48_000),
    "a.caf": ("caf", "pcm_s16le", 44_100),
    "a.au": ("au", "pcm_s16be", 44_100),
    "a.wv": ("wv", "wavpack", 44_100),
    "a.ts": ("mpegts", "mp2", 48_000),
}
VIDEO = {
    "v.mp4": ("mp4", "aac", 48_000),
    "v.mkv": ("matroska", "libopus", 48_000),
    "v.ts": ("mpegts", "aac", 48_000),
    "v.avi": ("avi", "libmp3lame", 44_100),
}


@pytest.mark.parametrize("name", GOOD)
def test_it_decodes_every_audio_format(name: str, decode: Decode, tmp_path: Path) -> None:
    container, codec, rate_hz = GOOD[name]
    audio = decode(encode(tmp_path / name, container=container, codec=codec, rate_hz=rate_hz))

    assert 2000 <= audio.duration_ms <= 2050  # coded formats may end with their last frame's padding
    assert audio.sample_rate_hz == rate_hz
    assert -7 < audio.peak_dbfs < -5
    assert not audio.silence
    assert audio.pcm.stat().st_size == audio.duration_ms * 32
    assert len(read_levels(audio.levels)) == -(-audio.duration_ms // 20)


@pytest.mark.parametrize("name", VIDEO)
def test_it_takes_the_sound_of_a_video(name: str, decode: Decode, tmp_path: Path) -> None:
    container, codec, rate_hz = VIDEO[name]
    audio = decode(encode(tmp_path / name, container=container, codec=codec, rate_hz=rate_hz, video=True))

    assert 2000 <= audio.duration_ms <= 2050


def test_the_sound_is_what_was_recorded(decode: Decode, tmp_path: Path) -> None:
    audio = decode(encode(tmp_path / "a.flac", container="flac", codec="flac"))
    samples = np.frombuffer(PcmRange(audio.pcm, 500, 1500).read(), dtype="<i2")
    spectrum = np.abs(np.fft.rfft(samples))

    assert int(np.argmax(spectrum)) == 440  # one second of samples: the bin is the frequency


def test_a_part_of_a_millisecond_is_padded_so_that_ranges_fit(decode: Decode, tmp_path: Path) -> None:
    audio = decode(wav_file(tmp_path / "a.wav", samples=16_001))

    assert audio.duration_ms == 1001
    assert audio.pcm.stat().st_size == 1001 * 32


def test_silence_is_noticed(decode: Decode, tmp_path: Path) -> None:
    source = tmp_path / "silence.wav"
    wav_file(source, samples=16_000)
    data = bytearray(source.read_bytes())
    data[44:] = bytes(len(data) - 44)
    source.write_bytes(data)

    audio = decode(source)

    assert audio.silence
    assert audio.peak_dbfs == -100.0


@pytest.mark.parametrize("channels", [1, 2, 6, 8, 9, 11, 32])
def test_any_usual_number_of_channels_is_mixed_to_mono_at_the_same_loudness(
    channels: int, decode: Decode, tmp_path: Path
) -> None:
    audio = decode(wav_file(tmp_path / "a.wav", channels=channels))

    assert audio.channels == channels
    assert audio.duration_ms == 1000
    assert audio.peak_dbfs == pytest.approx(-12.2, abs=0.3)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"channels": 33}, "media_too_many_channels"),
        ({"channels": 255}, "media_too_many_channels"),
        ({"rate_hz": 1}, "media_bad_rate"),
        ({"rate_hz": 10_000_000}, "media_bad_rate"),
    ],
)
def test_it_refuses_what_no_recorder_makes(facts: dict[str, int], code: str, decode: Decode, tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        decode(wav_file(tmp_path / "a.wav", **facts))

    assert caught.value.code == code


def test_the_duration_comes_from_the_samples_and_not_from_the_header(decode: Decode, tmp_path: Path) -> None:
    source = wav_file(tmp_path / "a.wav", samples=16_000)
    data = bytearray(source.read_bytes())
    data[4:8] = data[40:44] = (0x7FFFFFFF).to_bytes(4, "little")  # claims 18 hours
    source.write_bytes(data)

    assert decode(source).duration_ms == 1000


def test_a_long_file_stops_at_the_limit_with_little_on_disk(decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.flac", container="flac", codec="flac", seconds=5)

    with pytest.raises(MediaError) as caught:
        decode(source, max_duration_ms=1000)

    assert caught.value.code == "media_too_long"
    assert not (tmp_path / "out.pcm").exists()


def test_a_day_of_silence_in_a_small_file_is_stopped_at_the_limit(decode: Decode, tmp_path: Path) -> None:
    source = _day_of_silence(tmp_path / "day.flac")
    assert source.stat().st_size < 20 << 20

    with pytest.raises(MediaError) as caught:
        decode(source, max_duration_ms=600_000)

    assert caught.value.code == "media_too_long"


def test_the_limit_itself_is_still_accepted(decode: Decode, tmp_path: Path) -> None:
    source = wav_file(tmp_path / "a.wav", samples=16_000)

    assert decode(source, max_duration_ms=1000).duration_ms == 1000


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac", "a.opus", "a.aac", "a.webm", "a.aiff"])
def test_a_cut_file_gives_what_is_there(name: str, decode: Decode, tmp_path: Path) -> None:
    container, codec, rate_hz = GOOD[name]
    source = encode(tmp_path / name, container=container, codec=codec, rate_hz=rate_hz, seconds=4)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])

    assert 500 < decode(source).duration_ms < 3500


def test_a_cut_file_without_its_index_is_called_damaged(decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.m4a", container="ipod", codec="aac")
    source.write_bytes(source.read_bytes()[:-200])

    with pytest.raises(MediaError) as caught:
        decode(source)

    assert caught.value.code == "media_damaged"
    assert "Upload it again" in caught.value.detail


def test_a_hole_in_the_middle_is_survived_and_told(decode: Decode, tmp_path: Path) -> None:
    source = encode(tmp_path / "a.opus", container="ogg", codec="libopus", seconds=4)
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
    source.write_bytes(data)

    assert 1500 < decode(source).duration_ms <= 4050


def test_a_video_without_sound_is_told_so(decode: Decode, tmp_path: Path) -> None:
    import av

    source = tmp_path / "mute.mkv"
    with av.open(str(source), "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))

    with pytest.raises(MediaError) as caught:
        decode(source)

    assert caught.value.code == "media_no_audio"


def test_a_header_without_samples_is_empty(decode: Decode, tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        decode(wav_file(tmp_path / "a.wav", samples=0))

    assert caught.value.code == "media_empty"


def test_damage_anywhere_never_breaks_the_decoder(decoder: Decoder, decode: Decode, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    sources = [encode(tmp_path / name, container=GOOD[name][0], codec=GOOD[name][1], rate_hz=GOOD[name][2], seconds=0.5)
               for name in ("a.mp3", "a.m4a", "a.flac", "a.opus", "a.webm", "a.wav", "a.wv", "a.ts")]  # fmt: skip
    for source in sources:
        original = source.read_bytes()
        for _ in range(15):
            source.write_bytes(_mutated(original, random=random))
            try:
                decode(source, max_duration_ms=60_000)
            except MediaError as error:
                assert error.code != "media_decoder_failed", source.name  # noqa: PT017


def test_a_decoder_without_memory_or_time_is_a_clear_error(tmp_path: Path) -> None:
    source = encode(tmp_path / "a.flac", container="flac", codec="flac")
    with Decoder(limits=Limits(file_size_bytes=10_000)) as poor, pytest.raises(MediaError) as caught:
        poor.decode(source, pcm_out=tmp_path / "o.pcm", levels_out=tmp_path / "o.levels")

    assert caught.value.code == "media_decoder_failed"
    assert not (tmp_path / "o.pcm").exists()


def test_a_lost_lease_stops_decoding_and_leaves_nothing(decoder: Decoder, tmp_path: Path) -> None:
    def lease_lost() -> None:
        raise LookupError("lease lost")

    with pytest.raises(LookupError, match="lease lost"):
        decoder.decode(
            _day_of_silence(tmp_path / "day.flac"),
            pcm_out=tmp_path / "o.pcm",
            levels_out=tmp_path / "o.levels",
            on_tick=lease_lost,
            tick_s=0.05,
        )

    assert not list(tmp_path.glob("o.*"))


def test_real_speech_decodes_to_its_exact_length(decode: Decode, real_speech: Path) -> None:
    assert decode(real_speech / "jfk.flac").duration_ms == 11_000


def _mutated(data: bytes, *, random: Any) -> bytes:
    changed = bytearray(data)
    for place in random.integers(0, len(data), size=20):
        changed[place] = int(random.integers(0, 256))
    return bytes(changed)


def _day_of_silence(path: Path) -> Path:
    """24 hours as FLAC: one minute's frames, repeated."""
    import av
    from av.audio import AudioFrame

    minute = path.with_suffix(".minute.flac")
    with av.open(str(minute), "w", format="flac") as output:
        stream = output.add_stream("flac", rate=8000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = AudioFrame.from_ndarray(np.zeros((1, 8000 * 60), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    data = minute.read_bytes()
    first_frame = data.index(b"\xff\xf8")
    path.write_bytes(data[:first_frame] + data[first_frame:] * (24 * 60))
    return path
