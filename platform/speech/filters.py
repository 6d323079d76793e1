"""What a list of transcriptions may be narrowed to: from the words of a query to a filter of the register. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

from apikit.facade import FieldError, Problem
from dispatch.facade import JobFilter
from speech import pools, tags
from speech.contracts import NoEngine

_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:(\.\d{1,6})\d*)?([Zz]|[+ -]\d{2}:\d{2})", re.ASCII
)


def job_filter(
    *,
    livemode: bool,
    status: str | None,
    engine: str | None,
    tag: str | None,
    created_after: str | None,
    created_before: str | None,
) -> JobFilter:
    """The filter; raises a 422 that names the wrong field."""
    earliest, end = _moment("created_after", created_after), _moment("created_before", created_before)
    if earliest is not None and end is not None and earliest >= end:
        raise _refused("created_before", "contradiction", "It must be later than created_after.")
    return JobFilter(
        state=status,
        engine=_engine(engine),
        created_from=earliest,
        created_before=end,
        among=tags.carrying(unicodedata.normalize("NFC", tag), livemode=livemode) if tag is not None else None,
    )


def _engine(name: str | None) -> str | None:
    names = [engine.name for engine in pools.available()]
    if name is None or name in names:
        return name
    detail = f"There is no engine of that name. Engines here: {', '.join(names)}."
    raise NoEngine("unknown_engine", detail, field="engine")


def _moment(field: str, raw: str | None) -> datetime | None:
    """RFC 3339 with its offset, in UTC. A `+` that was not escaped has become a space, and is taken for what it was."""
    if raw is None:
        return None
    parts = _MOMENT.fullmatch(raw)
    try:
        day, time, fraction, offset = parts.groups(default="") if parts else ("", "", "", "")
        offset = offset.upper().replace(" ", "+").replace("Z", "+00:00")
        return datetime.fromisoformat(f"{day}T{time}{fraction.ljust(7, '0') if fraction else ''}{offset}").astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        detail = "Use RFC 3339 with an offset, such as 2026-11-01T00:00:00Z or 2026-11-01T09:00:00%2B09:00."
        raise _refused(field, "invalid_time", detail) from None


def _refused(field: str, code: str, detail: str) -> Problem:
    return Problem("invalid_request", 422, f"{field}: {detail}", [FieldError(field, code, detail)])
