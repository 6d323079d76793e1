"""What passes between the breaker's rules, its guard and the places that remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

from egress.errors import EgressError

BUCKETS: Final = 10  # of one second each: what is older than the window counts no more
STATE_KEPT_S: Final = 3600  # after the last call; a circuit that nobody uses is closed
RETRIES_PER_CALL: Final = 0.1  # the retry budget: a tenth of the first attempts …
MOST_RETRIES: Final = 10.0  # … of which so many may be saved up for a bad moment
MOST_HOLD_S: Final = 600.0  # a provider's Retry-After beyond that is asked about again

CircuitState = Literal["closed", "open", "half_open"]
Verdict = Literal["pass", "probe", "open", "held", "spent"]
Because = Literal["failures", "slow", "denied", "probe"]


@dataclass(frozen=True, slots=True)
class BreakerKey:
    """What breaks and heals together. `tenant` for calls on a tenant's own credentials, whose trouble is its alone.

    >>> BreakerKey("deepgram", region="eu", operation="transcribe").name
    'deepgram:eu:transcribe'
    """

    provider: str
    operation: str
    region: str = ""
    tenant: str = ""

    @property
    def name(self) -> str:
        """The key as text."""
        parts = (self.provider, self.region, self.operation, self.tenant)
        return ":".join(parts if self.tenant else parts[:3])


class Outcome(StrEnum):
    """How a call ended, as far as the provider's health is concerned."""

    ANSWERED = "answered"  # also a sensible refusal of this one request: whoever refuses is alive
    FAILED = "failed"  # no answer, a broken one, or the provider's own fault
    DENIED = "denied"  # 401, 402, 403: nothing will pass with these credentials
    BUSY = "busy"  # 429: alive, and asks everybody to wait
    OUTRUN = "outrun"  # we ended it because another provider was quicker: slow, by its own measure
    IGNORED = "ignored"  # says nothing about the provider: we ended the call ourselves


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome, and for BUSY the provider's Retry-After."""

    outcome: Outcome
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The answer to one who wants to call; `version` changes whenever the circuit opens or closes."""

    verdict: Verdict
    wait_s: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls, and how many of them failed or were slow."""

    calls: int = 0
    failed: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store knows after a call: the window, how often it opened in a row, whether this was the probe."""

    window: Tally
    version: int
    opens: int
    was_probe: bool


@dataclass(frozen=True, slots=True)
class Health:
    """A circuit's state for people and for routing; `retry_after_s` until a call may pass again."""

    state: CircuitState
    retry_after_s: float = 0.0


class Store(Protocol):
    """Remembers circuits; each method is atomic among all who share the store."""

    def enter(self, name: str, *, token: str, probe_s: float, is_retry: bool) -> Entry:
        """May a call pass? A probe's lease is `token`'s for `probe_s`."""

    def leave(self, name: str, *, entry: Entry, token: str, tally: Tally, ending: Ending) -> Seen | None:
        """Count a call; None when the circuit has opened or closed since it began: its news is old."""

    def trip(self, name: str, *, version: int, open_s: float) -> bool:
        """Open, unless the circuit has changed since `version`."""

    def hold(self, name: str, *, seconds: float) -> None:
        """Nobody passes for so long."""

    def look(self, names: Sequence[str]) -> list[Health]:
        """How the circuits are; changes nothing."""


class NotNow(EgressError):
    """The call was not made: another engine, or later. `retry_after_s` says when."""

    code = "not_now"
    retryable = True
    detail = "The provider is left alone for now."

    def __init__(self, retry_after_s: float) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class CircuitOpen(NotNow):
    """The provider failed too often lately."""

    code = "circuit_open"


class HeldBack(NotNow):
    """The provider asked to wait (Retry-After)."""

    code = "held_back"


class RetriesSpent(NotNow):
    """Too many of the calls are retries: one more would make a bad moment worse."""

    code = "retries_spent"
