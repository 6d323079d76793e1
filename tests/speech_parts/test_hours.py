"""Three hours pass through decoding, cutting, hearing and joining in little memory, exact to the millisecond."""

import json
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio import AudioFrame

from speech.audio.cuts import Span, plan_segments
from speech.audio.levels import read_levels
from speech.audio.media import Audio, Decoder
from speech.audio.pcm import PcmRange
from speech.engines.ports import EngineRequest
from speech.engines.simulated import Simulated
from speech.transcript import Transcript, from_json, join_texts, merge, to_json

HOURS_MS = 3 * 3_600_000
BLOCK_SAMPLES = 4096  # one FLAC frame, 256 ms
OURS_MAY_GROW_MIB = 48  # the samples are 330 MiB
CHILD_MAY_USE_MIB = 96
TARGET_MS, MAX_MS = 30_000, 45_000


@pytest.mark.long
def test_three_hours_are_decoded_cut_heard_and_joined(
    decoder: Decoder, speech_clips: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, duration_ms = _hours(speech_clips, path=tmp_path / "hours.flac")
    decoder.start()
    before_mib, seen_mib = _memory_mib("self"), [0.0]

    audio = _decoded(source, decoder=decoder, on_tick=lambda: seen_mib.append(_memory_mib("self")))
    spans = plan_segments(read_levels(audio.levels), duration_ms=audio.duration_ms, target_ms=TARGET_MS, max_ms=MAX_MS)
    seen_mib.append(_memory_mib("self"))
    parts = [_heard(audio, span) for span in spans]
    transcript = merge([(span.start_ms, part) for span, part in zip(spans, parts, strict=True)])

    grown_mib = max(*seen_mib, _memory_mib("self")) - before_mib
    child_mib = _memory_mib(str(decoder.pid), field="VmHWM")
    with capsys.disabled():
        sys.stdout.write(f"\n{len(spans)} spans; grown by {grown_mib:.1f} MiB; decoder's most {child_mib:.1f} MiB\n")
    assert audio.duration_ms == transcript.duration_ms == sum(span.duration_ms for span in spans) == duration_ms
    assert audio.pcm.stat().st_size == duration_ms * 32
    assert grown_mib < OURS_MAY_GROW_MIB
    assert child_mib < CHILD_MAY_USE_MIB
    _check_text(transcript, parts=parts)
    heard_ms = [span.start_ms + word.start_ms for span, part in zip(spans, parts, strict=True) for word in part.words]
    assert [word.start_ms for word in transcript.words] == heard_ms


def _decoded(source: Path, *, decoder: Decoder, on_tick: Callable[[], None]) -> Audio:
    folder = source.parent
    return decoder.decode(source, pcm_out=folder / "pcm", levels_out=folder / "levels", on_tick=on_tick, tick_s=0.05)


def _check_text(transcript: Transcript, *, parts: list[Transcript]) -> None:
    """The same words in every form: the parts, the joined text, its segments, and what was stored as JSON."""
    stored = from_json(json.loads(json.dumps(to_json(transcript))))
    assert stored == transcript
    assert stored.text == join_texts(segment.text for segment in stored.segments)
    assert [word.text for word in stored.words] == [word.text for part in parts for word in part.words]
    assert stored.text.split() == [text for part in parts for text in part.text.split()]


def _heard(audio: Audio, span: Span) -> Transcript:
    return Simulated().transcribe(PcmRange(audio.pcm, span.start_ms, span.end_ms), request=EngineRequest())


def _hours(clips: list[Path], *, path: Path) -> tuple[Path, int]:
    """The clips again and again as FLAC for three hours, and how long that is: whole frames, encoded once."""
    samples = np.concatenate([_samples(clip) for clip in clips if clip.suffix == ".wav"])
    samples = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES]
    round_ms = len(samples) // 16
    header, frames = _flac(samples, path=path.with_suffix(".round.flac"))
    rounds = -(-HOURS_MS // round_ms)
    with path.open("wb") as file:
        file.write(header)
        for _ in range(rounds):
            file.write(frames)
    return path, rounds * round_ms


def _samples(clip: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(str(clip)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def _flac(samples: np.ndarray[tuple[int], np.dtype[np.int16]], *, path: Path) -> tuple[bytes, bytes]:
    """The header and the frames of one encoded round."""
    with av.open(str(path), "w", format="flac") as output:
        stream = output.add_stream("flac", rate=16_000, options={"frame_size": str(BLOCK_SAMPLES)})
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    data = path.read_bytes()
    first_frame = data.index(b"\xff\xf8")
    return data[:first_frame], data[first_frame:]


def _memory_mib(process: str, *, field: str = "VmRSS") -> float:
    """What the kernel says a process holds now (VmRSS) or held at most (VmHWM)."""
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise LookupError(field)
