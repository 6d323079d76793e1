"""Entries to be imported, as an operator writes them: a file of JSON lines, one entry each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing import rating
from billing.contracts import METERS, MODES, Price
from billing.importing import ImportedEntry, import_entries
from events.facade import record_audit
from tenants.facade import find_tenant

_WANTED = {"id", "tenant", "created_at", "engine", "mode", "meter", "quantity", "unit_price", "unit_size"}
_MAY = {"occurred_at", "model", "sequence", "billable_quantity"}


def import_lines(lines: Iterable[str], *, actor: str, using: str = "system") -> tuple[int, int]:
    """(entries read, entries added). What is there already changes nothing, so a file may be imported again.

    Raises ValueError that names the line, or `WrongEntry`; batches of 5,000 before it are in the ledger then.
    """
    read = _Reader(lines)
    added = import_entries(read, using=using)
    record_audit(
        "usage.imported", actor=actor, subject="ledger", tenant_id=None, using=using,
        after={"entries": read.entries, "added": added},
    )  # fmt: skip
    return read.entries, added


class _Reader:
    """The entries of the lines, counted; each tenant is looked up once."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.entries = 0
        self._lines, self._tenants = lines, dict[str, tuple[UUID, str]]()

    def __iter__(self) -> Iterator[ImportedEntry]:
        for number, text in enumerate(self._lines, start=1):
            if text.strip():
                self.entries += 1
                yield self._entry(number, text)

    def _entry(self, number: int, text: str) -> ImportedEntry:
        try:
            shape = json.loads(text, parse_float=Decimal)
            _check_fields(shape)
            return _assembled(shape, *self._tenant(str(shape["tenant"])))
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise ValueError(f"line {number}: {error}") from None

    def _tenant(self, name_or_id: str) -> tuple[UUID, str]:
        if name_or_id not in self._tenants:
            found = find_tenant(name_or_id)
            if found is None:
                raise LookupError(
                    f"no tenant is named {name_or_id}, or several are; `parlance tenant list` shows the ids"
                )
            self._tenants[name_or_id] = found.id, found.currency
        return self._tenants[name_or_id]


def _check_fields(shape: Mapping[str, Any]) -> None:
    if not isinstance(shape, dict):
        raise TypeError("an entry is a JSON object")
    if missing := _WANTED - shape.keys():
        raise ValueError(f"missing: {', '.join(sorted(missing))}")
    if unknown := shape.keys() - _WANTED - _MAY:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if shape["meter"] not in METERS or shape["mode"] not in MODES:
        raise ValueError(f"meter is one of {', '.join(METERS)}, mode one of {', '.join(MODES)}")


def _assembled(shape: Mapping[str, Any], tenant_id: UUID, currency: str) -> ImportedEntry:
    created_at = _moment(shape["created_at"])
    quantity = _whole(shape["quantity"])
    billable = _whole(shape.get("billable_quantity", quantity))
    price = Price(
        str(shape["engine"]), str(shape.get("model", "")), shape["mode"], shape["meter"],
        Decimal(shape["unit_price"]), _whole(shape["unit_size"]),
    )  # fmt: skip
    return ImportedEntry(
        created_at, UUID(str(shape["id"])), price.meter, _whole(shape.get("sequence", 0)), tenant_id, None,
        price.engine, price.model, price.mode, quantity, billable, price.unit_price, price.unit_size,
        rating.amount_of(price, billable), currency, 0, _moment(shape.get("occurred_at", shape["created_at"])),
    )  # fmt: skip


def _moment(raw: Any) -> datetime:
    moment = datetime.fromisoformat(raw)
    if moment.tzinfo is None:
        raise ValueError(f"{raw!r} needs its offset, such as 2026-11-01T09:00:00Z")
    return moment


def _whole(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise TypeError(f"{raw!r} is not a whole number")
    return raw
