"""Encoders are processes that make file after file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from speech.audio import encoders
from speech.audio.encoders import EncodingFailed
from speech.audio.encoding import Encoder

SAMPLES = b"\x00\x10" * 8_000


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    encoders.close_encoders()
    yield
    encoders.close_encoders()


def made(form: str = "mp3") -> tuple[int, bytes]:
    """The pid of the process that made a file, and the file."""
    with Encoder(form, rate_in=16_000, rate_out=16_000) as encoder:  # type: ignore[arg-type]  # a format's name
        assert encoder._process is not None
        pid = encoder._process.pid
        return pid, encoder.feed(SAMPLES) + b"".join(encoder.finish())


def test_one_process_makes_file_after_file_and_none_knows_of_the_other() -> None:
    first, second, third = made(), made("flac"), made()
    assert first == third
    assert first[0] == second[0]
    assert second[1].startswith(b"fLaC")


def test_the_first_packet_comes_with_the_first_samples() -> None:
    with Encoder("mp3", rate_in=16_000, rate_out=16_000) as encoder:
        assert encoder.feed(SAMPLES)


def test_one_left_in_the_middle_of_its_file_is_not_lent_again() -> None:
    with Encoder("mp3", rate_in=16_000, rate_out=16_000) as encoder:
        assert encoder._process is not None
        left = encoder._process.pid
        encoder.feed(SAMPLES)
    assert made()[0] != left


def test_one_that_died_while_it_waited_is_replaced_and_one_that_dies_at_work_is_a_failure() -> None:
    made()
    encoders._idle[0]._process.kill()
    encoders._idle[0]._process.wait()
    with Encoder("mp3", rate_in=16_000, rate_out=16_000) as encoder:
        assert encoder.feed(SAMPLES)
        assert encoder._process is not None
        encoder._process._process.kill()
        encoder._process._process.wait()
        with pytest.raises(EncodingFailed):
            encoder.feed(SAMPLES)
