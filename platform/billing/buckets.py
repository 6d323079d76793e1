"""Where the hours and days of a time zone begin, and how they cut days of UTC. Pure; every cut is a quarter of an hour.

Offsets of time zones have been whole quarters since 1980, so nothing is ever divided.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
PER_DAY = timedelta(days=1) // QUARTER
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of days of UTC, in order: of the day (counted from 1970), the quarters from `lows` to before `highs`.

    `buckets` is the place of the piece's bucket among the starts, counted from 1; 0 where there are none.
    """

    buckets: list[int] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)


def bucket_starts(start: datetime, end: datetime, *, group: str | None, time_zone: str) -> list[datetime]:
    """The starts, in UTC, of every local "hour" or "day" that meets [start, end); the first may lie before `start`.

    A day begins with the first moment of its date. Where clocks change inside an hour, another hour begins.

    >>> january = datetime(2026, 1, 1, 20, tzinfo=UTC), datetime(2026, 1, 2, 20, tzinfo=UTC)
    >>> [f"{one:%d %H:%M}" for one in bucket_starts(*january, group="day", time_zone="Asia/Kolkata")]
    ['01 18:30', '02 18:30']
    """
    if group is None or start >= end:
        return []
    each = _days if group == "day" else _hours
    return list(each(start, end, ZoneInfo(time_zone)))


def pieces_of(first: datetime, last: datetime, starts: list[datetime]) -> Pieces:
    """[first, last), both whole quarters, cut at the starts and at midnight in UTC.

    >>> noon = datetime(1970, 1, 1, 12, tzinfo=UTC)
    >>> pieces_of(noon, noon + timedelta(days=1), [noon, noon + timedelta(hours=18)])
    Pieces(buckets=[1, 1, 2], days=[0, 1, 1], lows=[48, 0, 24], highs=[96, 24, 48])
    """
    low, high, begun = quarter_number(first), quarter_number(last), [quarter_number(one) for one in starts]
    midnights = range(low // PER_DAY * PER_DAY, high, PER_DAY)
    cuts = sorted({low, high, *(one for one in (*midnights, *begun) if low < one < high)})
    pieces = Pieces()
    for since, until in pairwise(cuts):
        day = since // PER_DAY
        pieces.buckets.append(bisect_right(begun, since))
        pieces.days.append(day)
        pieces.lows.append(since - day * PER_DAY)
        pieces.highs.append(until - day * PER_DAY)
    return pieces


def whole_quarters(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The quarters of an hour that lie wholly inside; both the same moment when there are none."""
    first = min(EPOCH - (EPOCH - start) // QUARTER * QUARTER, end)
    return first, max(first, EPOCH + quarter_number(end) * QUARTER)


def quarter_number(moment: datetime) -> int:
    """The quarter of an hour that it lies in, counted from 1970."""
    return (moment - EPOCH) // QUARTER


def _days(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    day, begun = start.astimezone(zone).date(), None
    while (at := _midnight(day, zone)) < end:
        if at != begun:  # a date that a zone left out begins with the next one
            yield at
        day, begun = day + timedelta(days=1), at


def _midnight(day: date, zone: tzinfo) -> datetime:
    # Where midnight comes twice this is the first; where it is left out, the moment at which clocks went on.
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _hours(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    at = _hour_of(start, zone)
    while at < end:
        yield at
        at = _next_hour(at, zone)


def _hour_of(moment: datetime, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    full = moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return full if _offset(full, zone) == local.utcoffset() else _next_hour(full, zone)


def _next_hour(at: datetime, zone: tzinfo) -> datetime:
    """The next full hour, or the moment before it at which clocks change."""
    local = at.astimezone(zone)
    full = at + HOUR - timedelta(minutes=local.minute)
    if _offset(full, zone) == local.utcoffset():
        return full
    return next(one for n in range(1, 5) if _offset(one := at + n * QUARTER, zone) != local.utcoffset())


def _offset(at: datetime, zone: tzinfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
