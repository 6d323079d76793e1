"""Every engine keeps the port's contract; the built-in ones are labelled for what they are."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from speech.audio.media import Decoder
from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError
from speech.engines.pocketsphinx import Pocketsphinx
from speech.engines.ports import EngineRequest, SpeechToText
from speech.engines.registry import ENGINES
from speech.engines.simulated import Simulated
from speech.options import Options
from speech.transcript import Transcript

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


@pytest.fixture(scope="session")
def pocketsphinx() -> Iterator[Pocketsphinx]:
    engine = Pocketsphinx()
    yield engine
    engine.close()


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[SpeechToText]:
    engine = ENGINES[request.param]()
    yield engine
    engine.close()


@pytest.fixture
def pcm(tmp_path: Path) -> PcmRange:
    return _noise(tmp_path / "noise.pcm", duration_ms=1000)


Clip = Callable[[str], PcmRange]


@pytest.fixture
def clip(real_speech: Path, decoder: Decoder, tmp_path: Path) -> Clip:
    def decoded(name: str) -> PcmRange:
        out = tmp_path / f"{name}.pcm"
        audio = decoder.decode(real_speech / name, pcm_out=out, levels_out=tmp_path / f"{name}.levels")
        return PcmRange(out, 0, audio.duration_ms)

    return decoded


def test_an_engine_answers_a_transcript_of_the_part_it_was_given(engine: SpeechToText, pcm: PcmRange) -> None:
    part = PcmRange(pcm.path, 100, 900)

    transcript = engine.transcribe(part, request=EngineRequest(Options(language="en")))

    assert transcript.duration_ms == 800
    assert transcript.language == "en"
    assert all(word.end_ms <= 800 for word in transcript.words)


def test_an_engine_names_its_quality_and_warns_in_a_sentence(engine: SpeechToText) -> None:
    capabilities = engine.capabilities

    assert capabilities.name in ENGINES
    assert capabilities.quality in ("demo", "simulated")
    assert [warning.code for warning in capabilities.warnings] == [f"{capabilities.quality}_engine"]
    assert all(warning.detail.endswith(".") for warning in capabilities.warnings)


def test_the_same_audio_gives_the_same_answer(engine: SpeechToText, pcm: PcmRange) -> None:
    request = EngineRequest(Options(language="en"))

    assert engine.transcribe(pcm, request=request) == engine.transcribe(pcm, request=request)


def test_a_range_outside_of_the_file_is_an_error_and_not_a_short_answer(engine: SpeechToText, pcm: PcmRange) -> None:
    with pytest.raises((EngineError, ValueError)):
        engine.transcribe(PcmRange(pcm.path, 0, 5000), request=EngineRequest(Options(language="en")))


def test_pocketsphinx_understands_english_only(pocketsphinx: Pocketsphinx, pcm: PcmRange) -> None:
    assert pocketsphinx.capabilities.speaks("en-GB")
    with pytest.raises(EngineError) as caught:
        pocketsphinx.transcribe(pcm, request=EngineRequest(Options(language="ko")))

    assert (caught.value.kind, caught.value.code) == ("permanent", "language_unsupported")


def test_pocketsphinx_hears_nothing_in_a_blink(pocketsphinx: Pocketsphinx, pcm: PcmRange) -> None:
    assert pocketsphinx.transcribe(PcmRange(pcm.path, 0, 50), request=EngineRequest()).text == ""


def test_pocketsphinx_carries_nothing_from_one_job_to_the_next(
    pocketsphinx: Pocketsphinx, clip: Clip, tmp_path: Path
) -> None:
    speech, whistle = clip("librivox-0880.wav"), PcmRange(tmp_path / "whistle.pcm", 0, 1000)
    whistle.path.write_bytes((20_000 * np.sin(np.arange(16_000) / 3)).astype("<i2").tobytes())
    pocketsphinx.transcribe(whistle, request=EngineRequest())  # spoils the noise estimate for what follows

    assert pocketsphinx.transcribe(speech, request=EngineRequest()) == _by_a_fresh_process(speech)


def test_pocketsphinx_on_real_speech_with_its_error_rate_printed(
    pocketsphinx: Pocketsphinx, clip: Clip, real_speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = total = 0
    for name in ["jfk.flac", *sorted(path.name for path in real_speech.glob("librivox-*.wav"))]:
        said = JFK if name == "jfk.flac" else (real_speech / name).with_suffix(".txt").read_text()
        heard = pocketsphinx.transcribe(clip(name), request=EngineRequest(Options(language="en")))
        _check_word_times(heard)
        wrong, words = word_errors(said, heard=heard.text)
        errors, total = errors + wrong, total + words
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\npocketsphinx on {total} words of real speech: word error rate {errors / total:.2f} (demo quality)"
        )

    assert total == 93
    assert errors / total < 0.5


def test_an_aborted_pocketsphinx_job_ends_its_process_and_the_next_one_works(
    pocketsphinx: Pocketsphinx, pcm: PcmRange
) -> None:
    def lease_lost() -> None:
        raise LookupError("lease lost")

    with pytest.raises(LookupError):
        pocketsphinx.transcribe(pcm, request=EngineRequest(), on_tick=lease_lost, tick_s=0.01)

    assert pocketsphinx.transcribe(pcm, request=EngineRequest()).duration_ms == pcm.duration_ms


def test_the_simulated_text_belongs_to_the_audio(tmp_path: Path) -> None:
    engine = Simulated()
    one, two = (
        engine.transcribe(_noise(tmp_path / f"{seed}.pcm", duration_ms=8000, seed=seed), request=EngineRequest())
        for seed in (1, 2)
    )

    assert len(one.words) == 20
    assert one.text != two.text
    assert one.words[-1].end_ms <= 8000


def test_the_simulated_engine_speaks_korean_when_asked(pcm: PcmRange) -> None:
    transcript = Simulated().transcribe(pcm, request=EngineRequest(Options(language="ko-KR")))

    assert transcript.language == "ko-KR"
    assert all("가" <= letter <= "힣" for letter in transcript.text.replace(" ", ""))


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        ("transient_error", "transient"),
        ("permanent_error", "permanent"),
        ("quota_error", "quota"),
        ("bad_audio", "bad_audio"),
        ("slow:-1", "permanent"),
        ("nonsense", "permanent"),
    ],
)
def test_every_failure_can_be_provoked(wish: str, kind: str, pcm: PcmRange) -> None:
    with pytest.raises(EngineError) as caught:
        Simulated().transcribe(pcm, request=EngineRequest(Options(simulate=wish)))

    assert caught.value.kind == kind
    assert caught.value.detail.endswith(".")


def test_the_simulated_engine_shows_each_feature(pcm: PcmRange) -> None:
    options = Options(
        simulate="says:call damn 555-01000 or ada@example.com two three four five six", vocabulary=("Parlance",),
        profanity_filter=True, redact_pii=("all",), diarize=True, speakers=2, languages=("ko", "en"),
    )  # fmt: skip

    transcript = Simulated().transcribe(pcm, request=EngineRequest(options))

    assert transcript.text == "Parlance **** [PHONE] or [EMAIL] two three four Parlance six"
    assert [segment.speaker for segment in transcript.segments] == ["A", "B"]
    assert (transcript.language, transcript.language_confidence) == ("ko", 0.9)
    translated = Simulated().transcribe(pcm, request=EngineRequest(Options(language="ko", task="translate")))
    assert translated.language == "en"


def test_slowness_can_be_provoked_and_ticks_meanwhile(pcm: PcmRange) -> None:
    slept: list[float] = []
    ticks: list[int] = []
    engine = Simulated(latency_ms_per_s=100, sleep=slept.append)

    engine.transcribe(
        pcm, request=EngineRequest(Options(simulate="slow:2500")), on_tick=lambda: ticks.append(1), tick_s=1.0
    )

    assert sum(slept) == pytest.approx(2.5 + 0.1)
    assert len(ticks) == 3


def _noise(path: Path, *, duration_ms: int, seed: int = 0) -> PcmRange:
    path.write_bytes(np.random.default_rng(seed).integers(-300, 300, duration_ms * 16).astype("<i2").tobytes())
    return PcmRange(path, 0, duration_ms)


def _by_a_fresh_process(pcm: PcmRange) -> Transcript:
    engine = Pocketsphinx()
    try:
        return engine.transcribe(pcm, request=EngineRequest())
    finally:
        engine.close()


def _check_word_times(heard: Transcript) -> None:
    assert heard.words
    assert len({word.confidence for word in heard.words}) > 1
    assert max(word.end_ms - word.start_ms for word in heard.words) < 2500


def word_errors(said: str, *, heard: str) -> tuple[int, int]:
    """Edits between the two texts by word, and how many words were said."""
    right, found = _words(said), _words(heard)
    row = list(range(len(found) + 1))
    for place, word in enumerate(right, start=1):
        above, row = row, [place]
        for column, other in enumerate(found, start=1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (word != other)))
    return row[-1], len(right)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("mister", "mr"))
