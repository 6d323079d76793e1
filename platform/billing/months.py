"""Billing months: named by their first day, half-open between two local midnights. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def following(period: date) -> date:
    """The month after.

    >>> following(date(2026, 12, 1))
    datetime.date(2027, 1, 1)
    """
    return date(period.year + period.month // 12, period.month % 12 + 1, 1)


def bounds(period: date, time_zone: str) -> tuple[datetime, datetime]:
    """The month's first moment and the next one's, in UTC; local midnights, also where clocks change.

    >>> [f"{moment:%d %H:%M}" for moment in bounds(date(2026, 11, 1), "Asia/Seoul")]
    ['31 15:00', '30 15:00']
    >>> [f"{moment:%d %H:%M}" for moment in bounds(date(2026, 3, 1), "Europe/Berlin")]
    ['28 23:00', '31 22:00']
    """
    check(period)
    return _midnight(period, time_zone), _midnight(following(period), time_zone)


def containing(moment: datetime, time_zone: str) -> date:
    """The month that the moment falls into.

    >>> containing(datetime(2026, 10, 31, 15, tzinfo=UTC), "Asia/Seoul")
    datetime.date(2026, 11, 1)
    """
    return moment.astimezone(ZoneInfo(time_zone)).date().replace(day=1)


def check(period: date) -> None:
    """ValueError unless the day is a month's first."""
    if period.day != 1:
        raise ValueError("a billing month is named by its first day")


def _midnight(day: date, time_zone: str) -> datetime:
    # Where midnight comes twice (clocks go back over it), the first is meant: fold is 0.
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
