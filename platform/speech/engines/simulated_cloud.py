"""A simulated provider: what a cloud engine does on its way to the text, without a network, and named as simulated.

It answers like the simulated engine, on the executor of a provider. The option `simulate` tells how it comes to that:

    cloud:                      at once
    cloud:slow:<ms>             in the call, after so long
    cloud:poll:<ms>             later: it can be asked for after so long
    cloud:call:<ms>             later: it is brought to the callback URL after so long; polling finds nothing before
    cloud:lost:<ms>             the same, but nothing is ever brought: only polling finds it
    cloud:fail:<kind>           never: the call fails with an error of this kind
    cloud:fail:<kind>:<times>   the same, for the first so many attempts only
    cloud:late:<kind>           never: taken, and failed when it is asked for
    cloud:paid:<kind>           never, and it charges for the audio nevertheless

It remembers nothing: an external id says all that there is to know of a call, whatever process asks.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self, cast, get_args
from urllib.parse import urlsplit

from speech.audio.pcm import PcmRange
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.ports import (
    Callback,
    Capabilities,
    EngineRequest,
    EngineWarning,
    Heard,
    Pending,
    ReportedUnits,
    Tick,
)
from speech.engines.simulated_text import simulated_transcript
from speech.options import FEATURES, Options

PROOF_HEADER: Final = "simulated-proof"
POLL_AFTER_S: Final = 1.0
SCRIPTS: Final = ("slow", "poll", "call", "lost", "fail", "late", "paid")
MAX_MS: Final = 3_600_000

CAPABILITIES: Final = Capabilities(
    name="simulated-cloud",
    languages=None,
    features=frozenset(FEATURES),
    max_part_ms=60_000,
    quality="simulated",
    rtfx=1_000.0,
    models=("simulated-cloud-1",),
    warnings=(
        EngineWarning(
            code="simulated_engine",
            detail="This text is simulated and has nothing to do with the audio. Use a live key and a real engine to "
            "transcribe.",
        ),
    ),
    executor="cloud:simulated:local",
    polls=True,
    calls_back=True,
)

Post = Callable[[Callback, bytes], None]


@dataclass(frozen=True, slots=True)
class Script:
    """What `simulate` asks for; `amount` is milliseconds, or how many attempts fail."""

    name: str = ""
    kind: ErrorKind = "transient"
    amount: int = 0

    @classmethod
    def of(cls, wish: str) -> Self:
        """The script of an option; anything that is not meant for a provider is none.

        >>> Script.of("cloud:poll:500"), Script.of("says:hello").name
        (Script(name='poll', kind='transient', amount=500), '')
        """
        place, _, script = wish.partition(":")
        if place != "cloud" or not script:
            return cls()
        name, _, rest = script.partition(":")
        kind, _, times = rest.partition(":") if name in {"fail", "late", "paid"} else ("transient", "", rest)
        number = times or "0"
        if name not in SCRIPTS or kind not in get_args(ErrorKind) or not number.isdecimal() or int(number) > MAX_MS:
            raise _unknown_script()
        return cls(name, kind=cast(ErrorKind, kind), amount=int(number))


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as its external id tells it."""

    ready_ms: int
    duration_ms: int
    digest: bytes

    @property
    def external_id(self) -> str:
        return f"sim-{self.ready_ms}-{self.duration_ms}-{self.digest.hex()}"

    @classmethod
    def of(cls, external_id: str) -> Self:
        found = re.fullmatch(r"sim-(\d{1,15})-(\d{1,9})-([0-9a-f]{64})", external_id)
        if found is None:
            raise EngineError(kind="permanent", code="simulated_unknown", detail="There is no such simulated call.")
        return cls(int(found[1]), int(found[2]), bytes.fromhex(found[3]))

    def heard(self, options: Options) -> Heard:
        spoken = replace(options, simulate="")
        transcript = simulated_transcript(self.digest, duration_ms=self.duration_ms, options=spoken)
        raw = json.dumps({"id": self.external_id, "text": transcript.text}, ensure_ascii=False).encode()
        return Heard(transcript, raw, CAPABILITIES.models[0], self.external_id, self.units)

    @property
    def units(self) -> tuple[ReportedUnits, ...]:
        return (ReportedUnits("audio_ms", self.duration_ms),)


class SimulatedCloud:
    """Shared by threads; `post` brings a result to a callback URL."""

    def __init__(
        self,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], None] = time.sleep,
        post: Post | None = None,
    ) -> None:
        self._now_ms, self._sleep, self._post = now_ms, sleep, post or _post

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """The text, or an id to ask for it later; raises EngineError when asked to."""
        script = Script.of(request.options.simulate)
        digest = hashlib.blake2b(pcm.read(), digest_size=32).digest()
        call = Call(self._now_ms() + script.amount, pcm.duration_ms, digest)
        if script.name == "slow":
            self._wait(script.amount / 1000, on_tick=on_tick)
        if script.name in {"fail", "paid"} and (not script.amount or request.attempt <= script.amount):
            raise _failure(script.kind, units=call.units if script.name == "paid" else ())
        if script.name == "call" and callback is not None:
            self._bring(call, callback, after_s=script.amount / 1000)
        if script.name in {"poll", "call", "lost", "late"}:
            return Pending(call.external_id, poll_after_s=POLL_AFTER_S)
        return call.heard(request.options)

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        """What the id stands for, once it is time."""
        script, call = Script.of(request.options.simulate), Call.of(external_id)
        if script.name == "late":
            raise _failure(script.kind)
        if self._now_ms() < call.ready_ms:
            return Pending(external_id, poll_after_s=POLL_AFTER_S)
        return call.heard(request.options)

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        """The whole result, or with `"status": "done"` only that it can be asked for now."""
        if headers.get(PROOF_HEADER) != callback.secret:
            raise CallbackRefused
        try:
            message = json.loads(body)
            told, status = message["id"], message["status"]
        except (ValueError, KeyError, TypeError):
            raise CallbackRefused from None
        if told != external_id:
            raise CallbackRefused
        return Pending(external_id, 0) if status == "done" else Call.of(external_id).heard(request.options)

    def check_credentials(self) -> None:
        """It has none."""

    def close(self) -> None:
        """Nothing to give back."""

    def _bring(self, call: Call, callback: Callback, *, after_s: float) -> None:
        body = json.dumps({"id": call.external_id, "status": "heard"}).encode()
        timer = threading.Timer(after_s, self._post, [callback, body])
        timer.daemon = True
        timer.start()

    def _wait(self, seconds: float, *, on_tick: Tick | None) -> None:
        while seconds > 0:
            step_s = min(seconds, 1.0)
            self._sleep(step_s)
            seconds -= step_s
            if on_tick is not None:
                on_tick()


def _failure(kind: ErrorKind, *, units: tuple[ReportedUnits, ...] = ()) -> EngineError:
    detail = f"Simulated failure of a provider ({kind}). Remove the simulate option."
    return EngineError(kind=kind, code=f"simulated_{kind}", detail=detail, units=units)


def _unknown_script() -> EngineError:
    names = ", ".join(f"cloud:{name}" for name in SCRIPTS)
    return EngineError(
        kind="permanent", code="simulated_unknown", detail=f"The simulated provider knows cloud: and {names}."
    )


def _post(callback: Callback, body: bytes) -> None:
    import httpx

    from egress.facade import operator, transport

    parts = urlsplit(callback.url)
    policy = operator({f"{parts.scheme}://{parts.netloc}"})
    with httpx.Client(transport=transport(policy), trust_env=False, timeout=10) as client:
        client.post(callback.url, content=body, headers={PROOF_HEADER: callback.secret})
