"""Each engine, each way to fail, each call it makes: known for what it is, telling nothing that it should not."""

from __future__ import annotations

import doctest
from collections import deque
from collections.abc import Sequence
from typing import Any, get_args

import pytest

from speech.audio.pcm import PcmRange
from speech.engines import hearing_calls
from speech.engines.errors import EngineError
from speech.engines.registry import CLOUD_ENGINES
from tests.fakes import failures
from tests.fakes.engines import StartFake
from tests.fakes.failures import CALLS, DOUBLED_CALLBACK, ENGINES, LOST_CALLBACK, NEVER, cells
from tests.fakes.hearers import HEARERS, STEPS, hear, hearer
from tests.fakes.provider import Fault
from tests.speech_parts.test_engine_contract import NEVER_TOLD, fails, pcm

__all__ = ["pcm"]  # a fixture
OF_VOICES = {"half_sample"}
SHORT_WAITS = {"LEAST_S": 0.3, "QUICK_S": 0.3, "PER_AUDIO_S": 0.0}


def test_no_engine_and_no_way_to_fail_is_without_its_row() -> None:
    assert set(CLOUD_ENGINES) - {"simulated-cloud"} == set(HEARERS) == set(ENGINES)
    assert set(get_args(Fault)) - OF_VOICES == set(CALLS)
    for mode in CALLS:
        for engine in ENGINES:
            assert len(cells(mode, engine, calls=STEPS[engine])) == STEPS[engine], (mode, engine)
    assert doctest.testmod(failures).failed == 0


@pytest.mark.parametrize("rows", [LOST_CALLBACK, DOUBLED_CALLBACK])
def test_whoever_calls_back_may_fail_to(start_fake: StartFake, rows: dict[str, str]) -> None:
    for name, (kind, _) in HEARERS.items():
        assert hearer(name, start_fake(kind)).capabilities.calls_back == (rows[name] != NEVER), name


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("name", ENGINES)
def test_it_is_known_for_what_it_is(
    name: str, mode: Fault, start_fake: StartFake, pcm: PcmRange, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait, seconds in SHORT_WAITS.items() if mode in {"mute", "stall"} else ():
        monkeypatch.setattr(hearing_calls, wait, seconds)
    fake = start_fake(HEARERS[name][0])
    for call, kind in enumerate(cells(mode, name, calls=STEPS[name])):
        if kind == NEVER:
            continue
        error = failed(name, fake, pcm, faults=[None] * call + [mode])
        assert error.kind == kind, call
        assert fake.faults == deque()  # it was this call
        assert (error.retry_after_s is not None) == (mode == "throttled")
        told = f"{error} {error.detail} {error.__cause__}"
        assert not [word for word in NEVER_TOLD if word in told]
        assert error.detail.endswith(".")
        assert error.__suppress_context__ or error.__context__ is None


def failed(name: str, fake: Any, pcm: PcmRange, *, faults: Sequence[Fault | None]) -> EngineError:
    """What becomes of an engine's calls when its provider does this at each of them."""
    engine = hearer(name, fake)  # anew: Google's has no token yet
    fake.faults.extend(faults)
    return fails(lambda: hear(engine, pcm))
