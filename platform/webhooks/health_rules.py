"""When an endpoint's failures are told, when they switch it off, and how it is tried again. Values in, value out.

What counts is a time of only failures, not their number: a busy endpoint would reach any number within a short outage.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from webhooks.contracts import Standing

# Seconds of only failures after which its people are told, once each: an outage, a long one, a lost night.
LADDER_S = (10 * 60, 3600, 12 * 3600)
# The schedule gives one event 75.6 h. Whoever answers within that loses nothing; two days more is forgotten for good.
DISABLE_AFTER_S = 120 * 3600
MIN_FAILURES = 10  # as many attempts as one event has: a single late failure after a quiet week disables nothing
# Seconds until a disabled endpoint is tried again by itself, longer each time; after the last it stays off.
COOLDOWNS_S = (3600, 4 * 3600, 12 * 3600, *[24 * 3600] * 7)
# Seconds between the single deliveries that go to a half-open endpoint while none succeeds.
PROBE_PAUSES_S = (5, 30, 5 * 60, 30 * 60, 3600)

Step = Literal["warn", "disable"]
Status = Literal["ok", "failing", "probing", "disabled"]

FAILING, GONE, BY_TENANT = "failing", "gone", "by_tenant"


def rungs_reached(failing_s: float) -> int:
    """Returns how many rungs of the ladder a time of only failures has passed.

    >>> [rungs_reached(seconds) for seconds in (0, 600, 4000, 900_000)]
    [0, 1, 2, 3]
    """
    return sum(failing_s >= rung_s for rung_s in LADDER_S)


def next_step(*, failing_s: float, failures: int, warned: int) -> Step | None:
    """Returns what a new failure calls for, after so many seconds and failures without any success.

    >>> next_step(failing_s=700, failures=3, warned=0), next_step(failing_s=700, failures=3, warned=1)
    ('warn', None)
    >>> next_step(failing_s=432_000, failures=10, warned=3)
    'disable'
    >>> next_step(failing_s=600_000, failures=9, warned=3) is None
    True
    """
    if failing_s >= DISABLE_AFTER_S and failures >= MIN_FAILURES:
        return "disable"
    return "warn" if rungs_reached(failing_s) > warned else None


def cooldown_s(reopened: int) -> int | None:
    """Returns the seconds until the next try of an endpoint that was tried again so many times; None: never.

    >>> cooldown_s(0), cooldown_s(99) is None
    (3600, True)
    """
    return COOLDOWNS_S[reopened] if reopened < len(COOLDOWNS_S) else None


def switched(*, enabled: bool, was_enabled: bool, reason: str) -> dict[str, Any]:
    """Returns the fields that change when its tenant switches an endpoint on or off.

    Switched on after its failures had switched it off, it is half-open: the rest follows the first success.

    >>> switched(enabled=True, was_enabled=False, reason=FAILING)["probing"]
    True
    >>> switched(enabled=False, was_enabled=False, reason=FAILING)["disabled_reason"]  # and stays off from now on
    'by_tenant'
    """
    changed: dict[str, Any] = {"enabled": enabled, "half_open_at": None, "reopened": 0}
    if not enabled:
        return changed | {"disabled_reason": reason if reason == GONE else BY_TENANT, "probing": False}
    changed |= {"disabled_reason": "", "consecutive_failures": 0, "failing_since": None, "paused_until": None}
    changed |= {"slow": False, "warned": 0}
    return changed if was_enabled else changed | {"probing": reason in {FAILING, GONE}}


def standing(
    *,
    enabled: bool,
    probing: bool,
    failing_since: datetime | None,
    last_success_at: datetime | None,
    half_open_at: datetime | None,
    paused_until: datetime | None,
) -> Standing:
    """Returns how an endpoint does, for its tenant.

    >>> standing(enabled=True, probing=False, failing_since=None, last_success_at=None, half_open_at=None,
    ...          paused_until=None).status
    'ok'
    """
    status: Status = "failing" if failing_since else "ok"
    if probing or not enabled:
        status = "probing" if probing else "disabled"
    next_try_at = half_open_at if not enabled else paused_until if probing else None
    return Standing(status, failing_since, last_success_at, next_try_at)
