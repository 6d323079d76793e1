"""The pool's decoder against openai-whisper's own `decode`, token for token, on random weights (extra `whisper`)."""

import random

import pytest

torch = pytest.importorskip("torch")
whisper = pytest.importorskip("whisper")

from whisper.decoding import DecodingOptions
from whisper.model import ModelDimensions, Whisper

from speech.whisper.batch import Batch
from speech.whisper.tokenizing import multilingual
from speech.whisper.windows import Window, Wish

ENDS_AT = 40  # from this position on, the end is by far the likeliest token


@pytest.fixture(scope="module")
def model():
    """Small random weights whose argmax is clear, and which end by themselves."""
    torch.manual_seed(7)
    multilingual()  # whisper's own `decode` then finds the tokenizer that it would leave a file open for
    made = Whisper(ModelDimensions(80, 1500, 64, 2, 1, 51865, 448, 64, 2, 2)).eval()
    with torch.no_grad():
        made.decoder.token_embedding.weight.normal_(std=0.05)
        made.decoder.positional_embedding.normal_(std=0.3)
        towards = torch.nn.functional.normalize(torch.randn(64), dim=0)
        made.decoder.positional_embedding[ENDS_AT:] += 20 * towards
        made.decoder.token_embedding.weight[50257] = 3 * towards
    return made


def drawn(order, *, number):
    """Options and features as tenants might mix them."""
    languages, tasks = ("en", "ko", "ja", "de"), ("transcribe", "translate")
    wishes = []
    for place in range(number):
        options = DecodingOptions(
            language=order.choice(languages), task=order.choice(tasks), without_timestamps=order.random() < 0.3,
            prompt=[order.randrange(1000, 40000) for _ in range(order.choice([0, 0, 3, 17, 31]))],
            sample_len=order.choice([3, 9, 60]), fp16=False,
        )  # fmt: skip
        wishes.append((str(place), options, torch.randn(1500, 64)))
    return wishes


def window_of(wish):
    key, options, features = wish
    asked = Wish(
        options.language, task=options.task, prompt=tuple(options.prompt), timestamps=not options.without_timestamps,
        temperatures=(0.0,), max_tokens=options.sample_len,
    )  # fmt: skip
    return Window(key, features, asked)


def decoded(model, wishes, *, slots):
    batch = Batch(model, slots=slots, tokenizer=multilingual())
    return {result.key: result for result in batch.decode(map(window_of, wishes))}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_window_has_the_tokens_of_whispers_decode(model, seed):
    torch.manual_seed(seed)
    wishes = drawn(random.Random(seed), number=12)
    found = decoded(model, wishes, slots=3)
    ended = 0
    for key, options, features in wishes:
        expected = whisper.decode(model, features[None], options)[0]
        assert found[key].tokens == expected.tokens
        assert found[key].avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-4)
        assert found[key].no_speech == pytest.approx(expected.no_speech_prob, rel=1e-3)
        ended += len(expected.tokens) < options.sample_len
    assert ended, "no window came to its own end"


def test_a_window_does_not_depend_on_its_mates_slot_or_admission(model):
    torch.manual_seed(5)
    wishes = drawn(random.Random(5), number=9)
    alone = {wish[0]: decoded(model, [wish], slots=1)[wish[0]].tokens for wish in wishes}
    for slots in (2, 4):
        random.Random(slots).shuffle(wishes)
        assert {key: result.tokens for key, result in decoded(model, wishes, slots=slots).items()} == alone
