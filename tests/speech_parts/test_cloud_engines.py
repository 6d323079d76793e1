"""Every provider's engine keeps the port's contract; the simulated provider does what its script says."""

import json
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import cast, get_args

import numpy as np
import pytest

from speech.audio.pcm import PcmRange
from speech.engines.errors import PASSING, CallbackRefused, EngineError, ErrorKind
from speech.engines.ports import Callback, EngineRequest, Heard, Pending, ReportedUnits
from speech.engines.simulated import Simulated
from speech.engines.simulated_cloud import PROOF_HEADER, SimulatedCloud
from speech.options import Options

CALLBACK = Callback("http://127.0.0.1:9/v1/callbacks/some-secret", secret="only-the-provider")


@pytest.fixture
def pcm(tmp_path: Path) -> PcmRange:
    path = tmp_path / "noise.pcm"
    path.write_bytes(np.random.default_rng(1).integers(-300, 300, 1000 * 16).astype("<i2").tobytes())
    return PcmRange(path, 0, 1000)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Iterator[SimulatedCloud]:
    engine = SimulatedCloud(now_ms=clock, sleep=lambda _: None)
    yield engine
    engine.close()


def test_a_provider_that_answers_at_once_says_what_it_counts(cloud: SimulatedCloud, pcm: PcmRange) -> None:
    heard = cloud.submit(pcm, request=_asks(""))

    assert isinstance(heard, Heard)
    assert heard.transcript == Simulated().transcribe(pcm, request=EngineRequest())
    assert heard.units == (ReportedUnits("audio_ms", 1000),)
    assert json.loads(heard.raw)["text"] == heard.transcript.text


def test_another_process_finds_a_result_by_its_external_id_alone(
    cloud: SimulatedCloud, pcm: PcmRange, clock: Clock
) -> None:
    request = _asks("cloud:poll:500")
    taken = cloud.submit(pcm, request=request)
    assert isinstance(taken, Pending)
    other = SimulatedCloud(now_ms=clock)

    assert other.poll(taken.external_id, request=request) == taken
    clock.ms += 500
    found = other.poll(taken.external_id, request=request)

    assert isinstance(found, Heard)
    assert found.transcript == Simulated().transcribe(pcm, request=EngineRequest())


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_every_kind_of_failure_can_be_provoked(kind: str, cloud: SimulatedCloud, pcm: PcmRange) -> None:
    with pytest.raises(EngineError) as caught:
        cloud.submit(pcm, request=_asks(f"cloud:fail:{kind}"))

    assert caught.value.kind == kind
    assert caught.value.may_pass == (kind in PASSING)
    assert caught.value.units == ()


def test_a_failure_can_end_cost_money_or_come_late(cloud: SimulatedCloud, pcm: PcmRange) -> None:
    assert isinstance(cloud.submit(pcm, request=_asks("cloud:fail:transient:1", attempt=2)), Heard)
    with pytest.raises(EngineError) as paid:
        cloud.submit(pcm, request=_asks("cloud:paid:permanent"))
    assert paid.value.units == (ReportedUnits("audio_ms", 1000),)
    taken = cloud.submit(pcm, request=_asks("cloud:late:quota"))
    with pytest.raises(EngineError, match="simulated_quota"):
        cloud.poll(cast(Pending, taken).external_id, request=_asks("cloud:late:quota"))


def test_a_result_is_brought_to_the_callback_once(clock: Clock, pcm: PcmRange) -> None:
    brought: SimpleQueue[bytes] = SimpleQueue()
    cloud = SimulatedCloud(now_ms=clock, post=lambda _, body: brought.put(body))
    taken = cloud.submit(pcm, request=_asks("cloud:call:0"), callback=CALLBACK)
    assert isinstance(taken, Pending)

    heard = _read(cloud, brought.get(timeout=10), external_id=taken.external_id)

    assert isinstance(heard, Heard)
    assert _read(cloud, _message(taken.external_id, "done"), external_id=taken.external_id) == Pending(
        taken.external_id, poll_after_s=0
    )


@pytest.mark.parametrize(
    ("secret", "told"), [("guessed", "mine"), (CALLBACK.secret, "another's"), (CALLBACK.secret, None)]
)
def test_a_delivery_that_is_not_the_providers_own_is_refused(
    secret: str, told: str | None, cloud: SimulatedCloud, pcm: PcmRange
) -> None:
    body = _message(told, "heard") if told else b"<html>"
    with pytest.raises(CallbackRefused):
        cloud.read_callback(
            headers={PROOF_HEADER: secret}, body=body, callback=CALLBACK, external_id="mine", request=_asks("cloud:")
        )


def test_a_callbacks_secret_is_not_shown() -> None:
    assert CALLBACK.secret not in repr(CALLBACK)


def _asks(wish: str, *, attempt: int = 1) -> EngineRequest:
    return EngineRequest(Options(simulate=wish), attempt=attempt)


def _message(external_id: str | None, status: str) -> bytes:
    return json.dumps({"id": external_id, "status": status}).encode()


def _read(cloud: SimulatedCloud, body: bytes, *, external_id: str) -> Heard | Pending:
    return cloud.read_callback(
        headers={PROOF_HEADER: CALLBACK.secret}, body=body, callback=CALLBACK, external_id=external_id,
        request=_asks("cloud:call:0"),
    )  # fmt: skip
