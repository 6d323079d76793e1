"""The pool itself, on the tiny Whisper that was trained on espeak-ng (`tiny_whisper`)."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import whisper
from tiny_whisper.fixture import WEIGHTS, errors, pcm, recording
from whisper.decoding import DecodingOptions

from speech.engines.errors import EngineError, EngineNotFree
from speech.engines.ports import EngineRequest
from speech.options import Options
from speech.whisper import sound
from speech.whisper.batch import Batch
from speech.whisper.half import halved
from speech.whisper.int8 import quantize
from speech.whisper.loading import load
from speech.whisper.pool import WhisperPool
from speech.whisper.tokenizing import multilingual
from speech.whisper.windows import Window, Wish

SILENCE = np.zeros(16_000 * 5, np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    multilingual()  # whisper's own `decode` then finds the tokenizer that it would leave a file open for


@pytest.fixture(scope="module")
def model() -> Any:
    return load(WEIGHTS, name="tiny")


@pytest.fixture
def pool(model: Any) -> Iterator[WhisperPool]:
    made = WhisperPool(model, rows=3)
    made.start()
    yield made
    made.stop()
    made.join()


def heard(pool: WhisperPool, samples: Any, **options: Any) -> Any:
    return pool.transcribe(pcm(samples), request=EngineRequest(Options(**options)), tick_s=0.01)


def together(pool: WhisperPool, sounds: list[Any]) -> list[Any]:
    """What comes of callers that all ask at once: a transcript or an error each."""
    found: list[Any] = [None] * len(sounds)

    def ask(place: int) -> None:
        try:
            found[place] = heard(pool, sounds[place])
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(sounds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def mel_of(model: Any, samples: Any) -> Any:
    return sound.mel((samples * 32767).astype(np.int16), bands=80, device=model.device)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_finds_the_language_and_writes_nearly_every_word(pool: WhisperPool, language: str) -> None:
    wrong = words = 0
    for seed in range(8):
        texts, samples = recording(language, sentences=2, seed=1000 + seed)
        transcript = heard(pool, samples)
        assert transcript.language == language
        assert "\ufffd" not in transcript.text
        assert " ".join(word.text for word in transcript.words) == transcript.text  # whole words, in Korean eojeol
        wrong += errors(" ".join(texts), transcript.text)
        words += len(" ".join(texts).split())
    assert wrong / words < 0.15


def test_it_translates_korean(pool: WhisperPool) -> None:
    transcript = heard(pool, recording("ko", sentences=1, seed=4)[1], language="ko", task="translate")
    assert transcript.language == "en"
    assert transcript.text.isascii()
    assert len(transcript.text.split()) >= 4


def test_silence_and_noise_have_no_text(pool: WhisperPool) -> None:
    assert heard(pool, SILENCE).text == ""
    assert heard(pool, np.random.default_rng(1).normal(size=80_000).astype(np.float32) * 0.003).text == ""


def test_natural_ends_on_real_speech_are_those_of_whispers_decode(model: Any) -> None:
    windows, expected = [], {}
    for seed in range(4):
        for language, task in (("en", "transcribe"), ("ko", "transcribe"), ("ko", "translate")):
            key, timed = f"{language} {task} {seed}", bool(seed % 2)
            mel = mel_of(model, recording(language, sentences=1 + seed % 3, seed=seed)[1])
            prompt = tuple(multilingual().encode(" Small dogs see two boxes.")) if seed == 2 else ()
            features = model.encoder(mel[None])[0].detach()
            wish = Wish(language, task=task, prompt=prompt, timestamps=timed, temperatures=(0.0,))
            windows.append(Window(key, features, wish))
            options = DecodingOptions(
                language=language, task=task, without_timestamps=not timed, prompt=list(prompt), fp16=False
            )
            expected[key] = whisper.decode(model, mel, options)
    random.Random(3).shuffle(windows)
    for found in Batch(model, tokenizer=multilingual(), slots=3).decode(windows):
        assert found.tokens == expected[found.key].tokens
        assert len(found.tokens) < 224


def test_word_times_are_those_of_whispers_alignment(model: Any) -> None:
    from whisper.timing import find_alignment
    from whisper.tokenizer import Tokenizer

    samples = recording("en", sentences=1, seed=11)[1]
    mel, frames = mel_of(model, samples), len(samples) // 320
    window = Window("w", model.encoder(mel[None])[0].detach(), Wish("en", words=True), frames=frames)
    found = next(iter(Batch(model, tokenizer=multilingual(), slots=2).decode([window])))
    tokenizer = Tokenizer(multilingual().encoding, 99, language="en", task="transcribe")
    text = [token for token in found.tokens if token < tokenizer.eot]
    expected = [word for word in find_alignment(model, tokenizer, text, mel, 2 * frames) if word.word != "."]
    assert [word.start_s for word in found.words] == [pytest.approx(word.start) for word in expected]


def test_a_poor_text_is_tried_again_with_the_draws_of_its_window_alone(model: Any) -> None:
    noise = torch.randn(4, 1500, model.dims.n_audio_state, generator=torch.Generator().manual_seed(2)) * 3

    def texts(slots: int, order: list[int]) -> dict[str, Any]:
        windows = [Window(str(place), noise[place], Wish("en", max_tokens=30)) for place in order]
        found = Batch(model, tokenizer=multilingual(), slots=slots).decode(windows)
        return {one.key: (one.temperature, one.tokens) for one in found}

    alone = {key: value for place in range(4) for key, value in texts(1, [place]).items()}
    assert any(temperature > 0 for temperature, _ in alone.values())
    assert texts(3, [2, 0, 3, 1]) == alone


@pytest.mark.parametrize("fast", [False, True])
def test_a_window_depends_on_no_neighbour_in_any_precision(model: Any, fast: bool) -> None:
    used = quantize(load(WEIGHTS, name="tiny")) if fast else model
    sounds = [recording(language, sentences=1 + seed, seed=seed)[1] for language in ("en", "ko") for seed in range(3)]
    loud = np.random.default_rng(4).normal(size=480_000).astype(np.float32)  # a neighbour that takes all resolution
    mels = [mel_of(used, samples)[None].to(used.encoder.conv1.weight.dtype) for samples in (*sounds, loud)]
    windows = [
        Window(str(place), used.encoder(mel)[0].detach(), Wish(temperatures=(0.0,), max_tokens=60))
        for place, mel in enumerate(mels)
    ]

    def tokens(order: list[Window], slots: int) -> dict[str, list[int]]:
        return {one.key: one.tokens for one in Batch(used, tokenizer=multilingual(), slots=slots).decode(order)}

    alone = {key: found for window in windows for key, found in tokens([window], 1).items()}
    for slots in (3, 7):
        random.Random(slots).shuffle(windows)
        assert tokens(windows, slots) == alone


def test_half_precision_and_a_batched_encoder_write_the_same_words_as_a_gpu_would(model: Any) -> None:
    pool = WhisperPool(halved(load(WEIGHTS, name="tiny")), rows=3, together=2)
    pool.start()
    made = [recording(language, sentences=1, seed=seed) for language in ("en", "ko") for seed in (1, 2)]
    beside = [one.text for one in together(pool, [samples for _, samples in made])]
    assert [heard(pool, samples).text for _, samples in made] == beside  # whoever was encoded beside it
    assert sum(errors(texts[0], text) for (texts, _), text in zip(made, beside, strict=True)) <= 2
    pool.stop()
    pool.join()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_eight_bits_write_as_many_words_right_as_single_precision(model: Any) -> None:
    wrong, words = {False: 0, True: 0}, 0
    small = quantize(load(WEIGHTS, name="tiny"))
    pools = {fast: WhisperPool(small if fast else model, rows=8) for fast in wrong}
    for pool in pools.values():
        pool.start()
    for first in range(0, 352, 16):
        made = [recording(("en", "ko")[seed % 2], sentences=2, seed=5000 + seed) for seed in range(first, first + 16)]
        told = [" ".join(texts) for texts, _ in made]
        words += sum(len(text.split()) for text in told)
        for fast, pool in pools.items():
            found = together(pool, [samples for _, samples in made])
            wrong[fast] += sum(errors(text, one.text) for text, one in zip(told, found, strict=True))
    for pool in pools.values():
        pool.stop()
    print(f"\n{words} words: {wrong[False]} wrong in float32, {wrong[True]} in int8")
    assert words >= 3000
    noise = 2 * (wrong[False] + wrong[True]) ** 0.5  # two standard deviations of the difference of two counts
    assert abs(wrong[True] - wrong[False]) <= noise


def test_a_poison_window_fails_its_own_caller_and_nobody_else(pool: WhisperPool, model: Any, monkeypatch: Any) -> None:
    good = [recording("en", sentences=1, seed=seed)[1] for seed in (1, 2, 3)]
    alone = [heard(pool, samples).text for samples in good]
    poison = recording("ko", sentences=2, seed=9)[1]
    hear, samples = pool._encoder.hear, np.frombuffer(pcm(poison), "<i2")
    [span, *_] = sound.spans(samples)

    def break_on_poison(windows: Any) -> Any:
        if any(len(window) == len(sound.stretch(samples, span)) for window in windows):
            raise RuntimeError("planted")
        return hear(windows)

    monkeypatch.setattr(pool._encoder, "hear", break_on_poison)
    *texts, failed = together(pool, [*good, poison])
    assert [found.text for found in texts] == alone
    assert isinstance(failed, EngineError)
    assert failed.kind == "transient"


def test_without_memory_the_batch_shrinks_and_no_window_is_lost(pool: WhisperPool, monkeypatch: Any) -> None:
    sounds = [recording("en", sentences=1, seed=seed)[1] for seed in (1, 2, 3)]
    alone = [heard(pool, samples).text for samples in sounds]
    step, times = Batch.step, iter(range(100))

    def out_of_memory(batch: Batch) -> Any:
        if next(times) == 1:
            raise torch.OutOfMemoryError("planted")
        return step(batch)

    monkeypatch.setattr(Batch, "step", out_of_memory)
    assert [found.text for found in together(pool, sounds)] == alone
    assert pool.rows == 1


def test_a_lost_device_ends_the_pool_and_its_callers_try_again(pool: WhisperPool, monkeypatch: Any) -> None:
    def lost(batch: Batch) -> Any:
        raise torch.AcceleratorError("planted")

    monkeypatch.setattr(Batch, "step", lost)
    found = together(pool, [recording("en", sentences=1, seed=seed)[1] for seed in (1, 2)])
    assert {type(error) for error in found} == {EngineError}
    pool.join()  # its process ends with it
    with pytest.raises(EngineNotFree):
        heard(pool, recording("en", sentences=1, seed=1)[1])


def test_a_pool_that_leaves_hears_what_it_began_and_gives_back_the_rest(pool: WhisperPool, monkeypatch: Any) -> None:
    sounds = [recording("en", sentences=1, seed=seed)[1] for seed in range(1, 7)]
    step, left = Batch.step, threading.Event()

    def leave_meanwhile(batch: Batch) -> Any:
        if len(pool._parts) == len(sounds) and not left.is_set():
            left.set()
            pool.leave()
        return step(batch)

    monkeypatch.setattr(Batch, "step", leave_meanwhile)
    found = together(pool, sounds)
    given_back = [one for one in found if isinstance(one, EngineNotFree)]
    assert 3 <= len(given_back) < len(sounds)  # the pool has three rows, and has begun with one at least
    assert all(one.text for one in found if one not in given_back)


def test_a_pool_that_is_stopped_tells_its_callers_to_try_again(model: Any) -> None:
    pool = WhisperPool(model, rows=1)
    pool.stop()
    with pytest.raises(EngineError) as raised:
        heard(pool, recording("en", sentences=1, seed=1)[1])
    assert raised.value.kind == "transient"
