"""When a circuit opens, and for how long: values in, value out."""

from __future__ import annotations

from dataclasses import dataclass

from egress.breaker.contracts import Because, Outcome, Tally

MOST_BACKOFF = 16  # doublings are counted no further: the longest wait is reached long before


@dataclass(frozen=True, slots=True)
class Rules:
    """Shares of the calls in the window, and seconds."""

    failure_ratio: float = 0.5
    slow_ratio: float = 0.8
    minimum_calls: int = 5  # fewer say nothing
    open_s: float = 5.0
    most_open_s: float = 120.0
    denied_open_s: float = 60.0  # credentials do not heal by themselves
    most_denied_open_s: float = 900.0


def tally(outcome: Outcome, *, slow: bool, rules: Rules) -> Tally:
    """What one call adds to the window.

    A failure that took long weighs as much as the minimum: the next ones must not wait as long to learn the same.

    >>> tally(Outcome.FAILED, slow=False, rules=Rules()), tally(Outcome.FAILED, slow=True, rules=Rules())
    (Tally(calls=1, failed=1, slow=0), Tally(calls=5, failed=5, slow=5))
    >>> tally(Outcome.ANSWERED, slow=True, rules=Rules()), tally(Outcome.BUSY, slow=False, rules=Rules())
    (Tally(calls=1, failed=0, slow=1), Tally(calls=0, failed=0, slow=0))
    """
    if outcome is Outcome.FAILED:
        weight = rules.minimum_calls if slow else 1
        return Tally(weight, failed=weight, slow=weight if slow else 0)
    if outcome in (Outcome.ANSWERED, Outcome.OUTRUN):
        return Tally(1, slow=int(slow or outcome is Outcome.OUTRUN))
    return Tally()


def verdict(window: Tally, *, outcome: Outcome, was_probe: bool, rules: Rules) -> Because | None:
    """Why the circuit must open now, or None.

    >>> verdict(Tally(10, failed=5), outcome=Outcome.FAILED, was_probe=False, rules=Rules())
    'failures'
    >>> verdict(Tally(10, failed=4, slow=8), outcome=Outcome.ANSWERED, was_probe=False, rules=Rules())
    'slow'
    >>> verdict(Tally(4, failed=4), outcome=Outcome.FAILED, was_probe=False, rules=Rules()) is None
    True
    >>> verdict(Tally(), outcome=Outcome.FAILED, was_probe=True, rules=Rules())
    'probe'
    >>> verdict(Tally(), outcome=Outcome.DENIED, was_probe=False, rules=Rules())
    'denied'
    """
    if outcome is Outcome.DENIED:
        return "denied"
    if was_probe:
        return "probe" if outcome in (Outcome.FAILED, Outcome.OUTRUN) else None
    if window.calls < rules.minimum_calls:
        return None
    if window.failed >= rules.failure_ratio * window.calls:
        return "failures"
    return "slow" if window.slow >= rules.slow_ratio * window.calls else None


def open_for_s(because: Because, *, opens: int, rules: Rules, luck: float) -> float:
    """How long it stays open: doubled each time in a row, and up to a fifth more or less by `luck` (0 to 1).

    >>> [open_for_s("failures", opens=n, rules=Rules(), luck=0.5) for n in (0, 1, 2, 9)]
    [5.0, 10.0, 20.0, 120.0]
    >>> open_for_s("denied", opens=0, rules=Rules(), luck=0.5), open_for_s("probe", opens=0, rules=Rules(), luck=0)
    (60.0, 4.0)
    """
    denied = because == "denied"
    first_s, most_s = (rules.denied_open_s, rules.most_denied_open_s) if denied else (rules.open_s, rules.most_open_s)
    return float(min(first_s * 2 ** min(opens, MOST_BACKOFF), most_s) * (0.8 + 0.4 * luck))
