"""When a text is not good enough to keep: openai-whisper's thresholds, and loops that need not be waited for. Pure."""

import zlib
from collections.abc import Sequence
from typing import Final

COMPRESSION_LIMIT: Final = 2.4  # the four of `whisper.transcribe`
LOGPROB_LIMIT: Final = -1.0
NO_SPEECH_LIMIT: Final = 0.6
LOOP_TOKENS: Final = 60  # so many tokens of nothing but repetition, at least six times the same
LOOP_TIMES: Final = 6


def compression_ratio(text: str) -> float:
    """How often a text says the same.

    >>> compression_ratio("No. " * 40) > COMPRESSION_LIMIT > compression_ratio("Small dogs find two boxes.")
    True
    """
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def is_silence(*, no_speech: float, avg_logprob: float) -> bool:
    """Nothing was said: whatever was written is made up."""
    return no_speech > NO_SPEECH_LIMIT and avg_logprob < LOGPROB_LIMIT


def needs_another_try(text: str, *, no_speech: float, avg_logprob: float) -> bool:
    """Whether whisper would decode again at a higher temperature.

    >>> needs_another_try("Small dogs.", no_speech=0.1, avg_logprob=-0.2)
    False
    >>> needs_another_try("Small dogs.", no_speech=0.1, avg_logprob=-1.2)
    True
    """
    if is_silence(no_speech=no_speech, avg_logprob=avg_logprob):
        return False
    return compression_ratio(text) > COMPRESSION_LIMIT or avg_logprob < LOGPROB_LIMIT


def is_looping(tokens: Sequence[int]) -> bool:
    """The last tokens are one phrase over and over; its text is always above the compression limit.

    >>> is_looping([1, 2, 3] * 20), is_looping([7, *[1, 2] * 29]), is_looping(range(224))
    (True, False, False)
    """
    tail = list(tokens[-LOOP_TOKENS:])
    return len(tail) == LOOP_TOKENS and any(
        tail[period:] == tail[:-period] for period in range(1, LOOP_TOKENS // LOOP_TIMES + 1)
    )
