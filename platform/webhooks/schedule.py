"""What follows from one attempt: delivered, again later, or given up. Values in, value out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from webhooks.contracts import Answer, Verdict

# Seconds to wait before each attempt (Standard Webhooks' example schedule): 75.6 hours in all.
STEPS_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
ATTEMPTS = len(STEPS_S)
JITTER = 0.1  # a tenth later at most, so that a receiver that was down is not met by everybody at once
MAX_RETRY_AFTER_S = 24 * 3600  # a receiver may ask for peace, not for oblivion
SLOW_MS = 2_000  # an answer that takes longer puts the endpoint into the slow lane

_BUSY = frozenset({429, 502, 503, 504})


def judge(
    answer: Answer, *, attempts_left: int, now: datetime, jitter: float, steps_s: Sequence[int] | None = None
) -> Verdict:
    """Decides what follows; `jitter` is a random number from 0 to 1, `steps_s` the endpoint's own schedule.

    >>> ok = Answer(status=204, error=None)
    >>> judge(ok, attempts_left=9, now=datetime.now(UTC), jitter=0).state
    'delivered'
    >>> judge(Answer(status=302, error=None), attempts_left=9, now=datetime.now(UTC), jitter=0).delay_s
    5.0
    >>> judge(Answer(status=500, error=None), attempts_left=0, now=datetime.now(UTC), jitter=0).state
    'failed'
    """
    if answer.status is not None and answer.error is None and 200 <= answer.status < 300:
        return Verdict(state="delivered")
    if answer.status == 410:
        return Verdict(state="failed", error="gone", endpoint_gone=True)
    error = answer.error or "http_status"
    asked_s = retry_after_s(answer.retry_after, now=now)
    pause_s = asked_s if answer.status in _BUSY else None
    if attempts_left <= 0:
        return Verdict(state="failed", error=error, pause_s=pause_s)
    delay_s = max(next_delay_s(attempts_left, jitter=jitter, steps_s=steps_s or STEPS_S), asked_s or 0.0)
    return Verdict(state="pending", delay_s=delay_s, error=error, pause_s=pause_s)


def next_delay_s(attempts_left: int, *, jitter: float, steps_s: Sequence[int] = STEPS_S) -> float:
    """Returns the seconds until the next attempt of the schedule.

    >>> [next_delay_s(left, jitter=0) for left in (9, 8, 1)]
    [5.0, 300.0, 86400.0]
    >>> next_delay_s(9, jitter=1)
    5.5
    >>> [next_delay_s(left, jitter=0, steps_s=(0, 60)) for left in (1, 7)]  # 7: the schedule was longer before
    [60.0, 60.0]
    """
    last = len(steps_s) - 1
    step_s = steps_s[min(max(len(steps_s) - attempts_left, 1), last)]
    return step_s * (1 + JITTER * jitter)


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Returns the seconds a Retry-After header asks for, at most a day; None for no or an unreadable one.

    >>> [retry_after_s(value, now=datetime(2026, 1, 1, tzinfo=UTC)) for value in ("120", "315360000", "soon")]
    [120.0, 86400.0, None]
    >>> retry_after_s("Thu, 01 Jan 2026 00:01:00 GMT", now=datetime(2026, 1, 1, tzinfo=UTC))
    60.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), MAX_RETRY_AFTER_S))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):  # a hostile date must not stop the sender
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)
