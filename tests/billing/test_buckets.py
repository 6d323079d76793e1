"""Where local hours and days begin, also where clocks change."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import buckets
from billing.buckets import EPOCH, QUARTER, bucket_starts, pieces_of, whole_quarters

# Half and quarter hours, a change by half an hour, midnights that come twice or never, a date that was left out.
ZONES = (
    "UTC", "Asia/Seoul", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "America/Havana",
    "Asia/Beirut", "Africa/Cairo", "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca",
)  # fmt: skip
YEAR_S = 31_556_952
MOMENTS = st.integers(11 * YEAR_S, 67 * YEAR_S).map(lambda seconds: EPOCH + timedelta(seconds=seconds))


def test_its_examples() -> None:
    assert doctest.testmod(buckets).failed == 0


def local_starts(start: str, end: str, group: str, zone: str) -> list[str]:
    moments = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, end))
    return [f"{one:%d %H:%M}" for one in bucket_starts(*moments, group=group, time_zone=zone)]


@pytest.mark.parametrize(("zone", "span", "expected"), [
    ("America/New_York", ("2026-03-08T00:00", "2026-03-10T00:00"), ["07 05:00", "08 05:00", "09 04:00"]),
    ("America/New_York", ("2026-11-01T04:00", "2026-11-03T00:00"), ["01 04:00", "02 05:00"]),
    ("America/Havana", ("2026-11-01T04:00", "2026-11-02T05:00"), ["01 04:00"]),  # 25 hours; its midnight comes twice
    ("Africa/Cairo", ("2026-04-23T22:00", "2026-04-24T22:00"), ["23 22:00", "24 21:00"]),  # no midnight on the 24th
    ("Pacific/Apia", ("2011-12-29T10:00", "2011-12-31T10:00"), ["29 10:00", "30 10:00"]),  # no 30th at all
])  # fmt: skip
def test_a_day_begins_with_the_first_moment_of_its_date(zone: str, span: tuple[str, str], expected: list[str]) -> None:
    assert local_starts(*span, "day", zone) == expected


@pytest.mark.parametrize(("zone", "span", "expected"), [
    ("Asia/Kathmandu", ("2026-01-01T00:20", "2026-01-01T02:00"), ["01 00:15", "01 01:15"]),
    ("America/New_York", ("2026-11-01T05:00", "2026-11-01T08:00"), ["01 05:00", "01 06:00", "01 07:00"]),
    # 2:00 becomes 1:30: that hour's other half is a bucket of its own.
    ("Australia/Lord_Howe", ("2026-04-04T14:10", "2026-04-04T16:00"), ["04 14:00", "04 15:00", "04 15:30"]),
    ("Australia/Lord_Howe", ("2026-04-04T15:20", "2026-04-04T15:40"), ["04 15:00", "04 15:30"]),
])  # fmt: skip
def test_an_hour_begins_where_the_clock_says_so(zone: str, span: tuple[str, str], expected: list[str]) -> None:
    assert local_starts(*span, "hour", zone) == expected


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(1, 12 * 96), st.sampled_from(ZONES), st.sampled_from(["hour", "day"]))
def test_buckets_follow_each_other_and_hold_one_date(start: datetime, length: int, zone: str, group: str) -> None:
    end = start + length * timedelta(minutes=14)
    starts = bucket_starts(start, end, group=group, time_zone=zone)
    ends = [*starts[1:], end]

    def dated(moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(zone)).date()

    assert starts[0] <= start < ends[0]
    for since, until in zip(starts, ends, strict=True):
        assert since < until
        assert dated(since) == dated(until - timedelta(microseconds=1))
        assert group == "day" or until - since <= timedelta(hours=1)
    if group == "day":
        assert all(dated(since) != dated(until) for since, until in pairwise(starts))
        assert dated(starts[0] - timedelta(microseconds=1)) != dated(starts[0])


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(0, 12 * 96), st.sampled_from(ZONES), st.sampled_from(["hour", "day", None]))
def test_pieces_are_the_range_once(start: datetime, length: int, zone: str, group: str | None) -> None:
    end = start + length * timedelta(minutes=14)
    first, last = whole_quarters(start, end)
    starts = bucket_starts(start, end, group=group, time_zone=zone)
    pieces = pieces_of(first, last, starts)

    assert start <= first <= last <= end
    assert first - start < QUARTER
    at = first
    for bucket, day, low, high in zip(pieces.buckets, pieces.days, pieces.lows, pieces.highs, strict=True):
        since, until = (EPOCH + timedelta(days=day) + slot * QUARTER for slot in (low, high))
        assert since == at < until
        assert 0 <= low < high <= 96
        assert bucket == sum(one <= since for one in starts) == sum(one < until for one in starts)
        at = until
    assert at == last


def test_a_range_within_a_quarter_has_no_pieces() -> None:
    start = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    first, last = whole_quarters(start, start + timedelta(minutes=5))
    assert (first, last) == (start + timedelta(minutes=5),) * 2
    assert pieces_of(first, last, []).days == []
