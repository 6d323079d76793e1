"""What follows from an answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webhooks.contracts import Answer, Verdict
from webhooks.schedule import ATTEMPTS, STEPS_S, judge, retry_after_s

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def verdict(status: int | None, *, left: int = 9, retry_after: str | None = None, error: str | None = None) -> Verdict:
    answer = Answer(status=status, error=error, retry_after=retry_after)
    return judge(answer, attempts_left=left, now=NOW, jitter=0.0)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert verdict(status).state == "delivered"


@pytest.mark.parametrize("status", [100, 300, 301, 302, 307, 400, 401, 404, 408, 429, 500, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    assert verdict(status).state == "pending"


def test_the_schedule_has_ten_attempts_over_three_days() -> None:
    delays = [verdict(500, left=left).delay_s for left in range(ATTEMPTS - 1, 0, -1)]
    assert delays == [float(step) for step in STEPS_S[1:]]
    assert sum(STEPS_S) == pytest.approx(75.6 * 3600, rel=0.01)
    assert verdict(500, left=0).state == "failed"


def test_gone_ends_the_delivery_and_the_endpoint() -> None:
    assert verdict(410) == Verdict(state="failed", error="gone", endpoint_gone=True)


def test_retry_after_is_honoured_and_rests_the_endpoint() -> None:
    answer = verdict(429, retry_after="120")
    assert (answer.delay_s, answer.pause_s) == (120.0, 120.0)


def test_retry_after_never_shortens_the_schedule() -> None:
    assert verdict(503, left=1, retry_after="1").delay_s == 24 * 3600


@pytest.mark.parametrize("value", ["315360000", "9" * 400, "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_ten_years_of_peace_are_one_day(value: str) -> None:
    assert verdict(429, retry_after=value).delay_s == 24 * 3600


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1e9", "٣", "Thu, 01 Jan 99999999999999999999 00:00:00 GMT", "\x00", "Thu, 99 Zzz"]
)
def test_an_unreadable_retry_after_is_no_retry_after(value: str) -> None:
    assert retry_after_s(value, now=NOW) is None


def test_a_date_without_zone_and_a_past_one_do_no_harm() -> None:
    assert retry_after_s("Sun, 22 Nov 2026 12:01:00 -0000", now=NOW) == 60.0
    assert retry_after_s("Sun, 22 Nov 2020 12:01:00 GMT", now=NOW) == 0.0
