"""`GET /v1/usage` and `GET /v1/prices`: a tenant reads what it used and what it would pay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic_core import to_json

from apikit import ids
from apikit.facade import FieldError, Problem
from billing import rating
from billing.books import book_in_force
from billing.contracts import Cost, Price, UsageLine
from billing.schemas import PricesOut, UsageOut, UsageQuery
from billing.statements.export import price_shape
from billing.usage import DIMENSIONS, usage_summary
from billing.usage_tags.digests import digests_of, names_of
from tenants.facade import caller_with, tenant_context

router = Router(tags=["usage"])

ERASED = "erased"

# A bucket per hour for longer than a month would answer with tens of thousands of lines.
MAX_RANGE = {"hour": timedelta(days=31), "day": timedelta(days=366), None: timedelta(days=3660)}
# Nothing is older, and since then every time zone is whole quarters of an hour from UTC, as the ledger's sums are.
YEARS = range(1980, 9998)


@router.get("/usage", response=UsageOut, by_alias=True, exclude_none=True, operation_id="get_usage")
def get_usage(request: HttpRequest, wanted: Query[UsageQuery]) -> HttpResponse:
    """Usage and its price by meter, engine and mode. A test key's jobs cost nothing and are not listed."""
    # A month by the hour has thousands of lines: checking our own answer once more took half of the time.
    caller = caller_with(request, "usage:read")
    _check_names(request, known={field.alias or name for name, field in UsageQuery.model_fields.items()})
    start, end = _range(wanted)
    with tenant_context(caller.tenant):
        summary = usage_summary(
            caller.tenant_id, livemode=caller.livemode, start=start, end=end, group=wanted.group,
            time_zone=wanted.time_zone, by=_by(wanted), meter=wanted.meter, engine=wanted.engine, key=_key(wanted),
            tags=digests_of(wanted.tag) if wanted.tag is not None else None,
        )  # fmt: skip
        names = names_of([line.tag for line in summary.lines if line.tag])
    shown = {
        "object": "usage",
        "from": _shown(start),
        "to": _shown(end),
        "time_zone": wanted.time_zone,
        "data": [_line(line, names) for line in summary.lines],
        "totals": [_total(cost) for cost in summary.totals or (Cost(rating.total(()), caller.currency),)],
    }
    return HttpResponse(to_json(shown), content_type="application/json")


@router.get("/prices", response=PricesOut, operation_id="list_prices")
def list_prices(request: HttpRequest) -> dict[str, Any]:
    """The caller's own prices, in its currency, for jobs accepted now."""
    caller = caller_with(request, "usage:read")
    _check_names(request, known=set())
    with tenant_context(caller.tenant):
        book = book_in_force(caller.currency, tenant_id=caller.tenant_id)
    prices = [book.prices[key] for key in sorted(book.prices)] if book else []
    return {
        "object": "list",
        "data": [_price(price, currency=caller.currency) for price in prices],
        "has_more": False,
        "next_cursor": None,
        "version": book.version if book else None,
    }


def _line(line: UsageLine, names: Mapping[bytes, str]) -> dict[str, Any]:
    tag = names.get(line.tag, ERASED) if line.tag else None
    start = {"start": _shown(line.bucket_start)} if line.bucket_start else {}
    return {
        **start,
        **_dimensions(line.meter, line.engine, line.model, line.mode, line.api_key_id, tag),
        "quantity": line.quantity,
        "amount": rating.shown(line.amount),
        "currency": line.currency,
        "jobs": line.jobs,
    }


@lru_cache(maxsize=1024)  # lines share these too
def _dimensions(
    meter: str | None, engine: str | None, model: str | None, mode: str | None, key: UUID | None, tag: str | None
) -> dict[str, str]:
    key_id = ids.show(ids.API_KEY, key) if key else None
    shown = {"meter": meter, "engine": engine, "model": model, "mode": mode, "api_key_id": key_id, "tag": tag}
    return {name: value for name, value in shown.items() if value is not None}


@lru_cache(maxsize=1024)  # lines share their buckets
def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _total(cost: Cost) -> dict[str, str]:
    return {"currency": cost.currency, "amount": rating.shown(cost.amount)}


def _price(price: Price, *, currency: str) -> dict[str, Any]:
    return {**price_shape(price), "currency": currency}


def _by(wanted: UsageQuery) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(wanted.by.split(",")))
    if set(names) - DIMENSIONS.keys():
        raise _refused("by", "unknown_value", f"Use some of {', '.join(DIMENSIONS)}, with commas between.")
    return names


def _key(wanted: UsageQuery) -> UUID | None:
    if wanted.api_key is None:
        return None
    found = ids.parse(ids.API_KEY, wanted.api_key)
    if found is None:
        raise _refused("api_key", "invalid", "Use an id that looks like key_….")
    return found


def _range(wanted: UsageQuery) -> tuple[datetime, datetime]:
    if wanted.group not in MAX_RANGE:
        raise _refused("group", "unknown_value", "Use hour or day, or leave it out.")
    if wanted.time_zone not in _time_zones():
        raise _refused("time_zone", "unknown_value", "Use an IANA name such as Asia/Seoul or UTC.")
    end = _moment("to", wanted.to) or datetime.now(UTC)
    start = _moment("from", wanted.from_) or end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    longest = MAX_RANGE[wanted.group]
    if start > end:
        raise _refused("from", "after_end", "It must not be later than `to`.")
    if end - start > longest:
        raise _refused("from", "range_too_long", f"Ask for at most {longest.days} days at once, or group by day.")
    return start, end


def _moment(field: str, raw: str | None) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _refused(field, "invalid_time", "Use RFC 3339 such as 2026-11-01T00:00:00Z; write + as %2B.")
    if moment.year not in YEARS:
        raise _refused(field, "invalid_time", f"Use a year from {YEARS[0]} to {YEARS[-1]}.")
    return moment.astimezone(UTC)


def _check_names(request: HttpRequest, *, known: set[str]) -> None:
    unknown = sorted(set(request.GET) - known)
    if unknown:
        raise _refused(unknown[0], "unknown_field", f"Known fields: {', '.join(sorted(known)) or 'none'}.")


def _refused(field: str, code: str, detail: str) -> Problem:
    return Problem("invalid_request", 422, f"{field}: {detail}", [FieldError(field, code, detail)])


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
