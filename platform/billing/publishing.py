"""Books and exchange rates from draft to force: written as JSON, checked whole, approved by a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from apikit.currencies import exponent
from billing import months, tiers
from billing.books import rows_of
from billing.contracts import METERS, MODES, PROVIDER_UNITS, Price
from billing.errors import ChangesPast, SamePerson, WrongStatus
from billing.models import FxRate, FxTable, PriceBook
from billing.models import Price as PriceRow
from events.facade import record_audit

DIGITS = 9  # of a unit price; a smaller one is written per a larger unit_size
LAST_ZONE = "Etc/GMT+12"  # where a month begins last
Status = PriceBook.Status


def draft_book(document: Mapping[str, Any], *, actor: str, using: str = "owner") -> int:
    """Store a book as a draft and return its version. Raises ValueError that names the price and says what to do.

    `document`: currency, effective_from, prices, and optionally kind, plan, tenant_id, base_version, minimum_commit,
    note. Money is a decimal string.
    """
    currency = str(document["currency"])
    exponent(currency)
    plan, tenant_id = str(document.get("plan", "")), document.get("tenant_id")
    minimum = _money("minimum_commit", document.get("minimum_commit", "0"))
    if minimum and not plan and not tenant_id:
        raise ValueError("a minimum commit belongs to a plan or a tenant: it would be asked from every idle tenant")
    kind = document.get("kind", "price")
    if kind not in PriceBook.Kind.values:
        raise ValueError(f"kind: a book is one of {', '.join(PriceBook.Kind.values)}")
    if kind == PriceBook.Kind.COST and (plan or tenant_id or minimum):
        raise ValueError(
            "a cost book says what providers ask of the operator: it has no plan, tenant or minimum commit"
        )
    units = PROVIDER_UNITS if kind == PriceBook.Kind.COST else METERS
    prices = [_price(number, shape, units=units) for number, shape in enumerate(document["prices"])]
    book = PriceBook(
        currency=currency, kind=kind, plan=plan, minimum_commit=minimum,
        tenant_id=UUID(str(tenant_id)) if tenant_id else None, base_version=document.get("base_version"),
        effective_from=_moment(document["effective_from"]), note=str(document.get("note", "")), created_by=actor,
    )  # fmt: skip
    with transaction.atomic(using=using):
        book.version = (PriceBook.objects.using(using).aggregate(last=Max("version"))["last"] or 0) + 1
        book.save(using=using, force_insert=True)
        PriceRow.objects.using(using).bulk_create(rows_of(book, prices))
        _audit("book.drafted", book, actor=actor, using=using)
    return book.version


def approve_book(version: int, *, actor: str, retroactive: bool = False, using: str = "owner") -> None:
    """Put a draft in force from its `effective_from` on; it never changes again. Raises `SamePerson`, `WrongStatus`.

    Jobs keep the prices that they were accepted at. Only a minimum commit looks back, to the first moment of a month
    that is not rated: `ChangesPast`, unless it is meant to (`retroactive`, which the audit log tells).
    """
    with transaction.atomic(using=using):
        book = PriceBook.objects.using(using).select_for_update().get(version=version)
        if book.status != Status.DRAFT:
            raise WrongStatus("book", status=book.status, wanted=Status.DRAFT)
        if book.created_by == actor:
            raise SamePerson(actor)
        if not retroactive and _looks_back(book, using=using):
            raise ChangesPast(version, effective_from=book.effective_from)
        PriceBook.objects.using(using).filter(pk=book.pk).update(
            status=Status.APPROVED, approved_by=actor, approved_at=Now()
        )
        _audit("book.approved", book, actor=actor, using=using, retroactive=retroactive)


def _looks_back(book: PriceBook, *, using: str) -> bool:
    """Whether it would give another minimum commit to a month that has begun somewhere."""
    begun, _ = months.bounds(months.containing(datetime.now(UTC), LAST_ZONE), LAST_ZONE)
    if book.kind != PriceBook.Kind.PRICE or book.effective_from > begun or not (book.plan or book.tenant_id):
        return False
    # A tenant's own book comes before its plan's, whichever that is, and takes its commit away.
    replaced = Q(plan=book.plan, tenant_id=book.tenant_id) | (~Q(plan="") if book.tenant_id else Q(pk=None))
    before = PriceBook.objects.using(using).filter(
        replaced, status=Status.APPROVED, currency=book.currency, minimum_commit__gt=0
    )
    return book.minimum_commit > 0 or before.exists()


def draft_rates(
    rates: Mapping[tuple[str, str], Decimal], *, effective_from: date, source: str, actor: str, using: str = "owner"
) -> int:
    """Store exchange rates as a draft table and return its version; {("USD", "KRW"): 1 USD in KRW}."""
    for currency, into in rates:
        exponent(currency)
        exponent(into)
    with transaction.atomic(using=using):
        last = FxTable.objects.using(using).aggregate(last=Max("version"))["last"] or 0
        table = FxTable(version=last + 1, effective_from=effective_from, source=source, created_by=actor)
        table.save(using=using, force_insert=True)
        FxRate.objects.using(using).bulk_create(
            FxRate(table=table, currency=currency, into=into, rate=rate) for (currency, into), rate in rates.items()
        )
    return table.version


def approve_rates(version: int, *, actor: str, using: str = "owner") -> None:
    """Put a table in force from its day on. Raises `SamePerson` and `WrongStatus`."""
    with transaction.atomic(using=using):
        table = FxTable.objects.using(using).select_for_update().get(version=version)
        if table.approved_by is not None:
            raise WrongStatus("rate table", status="approved", wanted="draft")
        if table.created_by == actor:
            raise SamePerson(actor)
        FxTable.objects.using(using).filter(pk=table.pk).update(approved_by=actor, approved_at=Now())
        record_audit("rates.approved", actor=actor, subject=str(version), tenant_id=None, using=using)


def _price(number: int, shape: Mapping[str, Any], *, units: Sequence[str]) -> Price:
    unknown = shape.keys() - Price.__dataclass_fields__.keys()
    if unknown:
        raise ValueError(f"prices[{number}]: unknown fields {', '.join(sorted(unknown))}")
    if shape["meter"] not in units or shape["mode"] not in MODES:
        raise ValueError(f"prices[{number}]: meter is one of {', '.join(units)}, mode one of {', '.join(MODES)}")
    steps = _tiers(number, shape.get("tiers", ()))
    price = Price(
        **{
            "model": "",
            **shape,
            "unit_price": _money(f"prices[{number}].unit_price", shape["unit_price"]),
            "tiers": steps,
        }
    )
    try:
        tiers.check(price.tier_mode, steps)
    except ValueError as error:
        raise ValueError(f"prices[{number}]: {error}") from None
    return price


def _tiers(number: int, shapes: Sequence[Mapping[str, Any]]) -> tuple[tiers.Tier, ...]:
    return tuple(
        tiers.Tier(shape.get("up_to"), _money(f"prices[{number}].tiers", shape["unit_price"])) for shape in shapes
    )


def _money(where: str, raw: object) -> Decimal:
    if not isinstance(raw, str | int | Decimal) or isinstance(raw, bool):
        raise ValueError(f'{where}: write money as a decimal string, such as "0.0123"')
    try:
        amount = Decimal(raw)
    except InvalidOperation:
        raise ValueError(f"{where}: {raw!r} is not a decimal number") from None
    exact = amount.as_tuple().exponent
    if not isinstance(exact, int) or -exact > DIGITS:
        raise ValueError(f"{where}: more than {DIGITS} decimals. Write it per a larger unit_size.")
    return amount


def _moment(raw: object) -> datetime:
    moment = datetime.fromisoformat(str(raw))
    if moment.tzinfo is None:
        raise ValueError("effective_from: write an RFC 3339 time with its offset")
    return moment.astimezone(UTC)


def _audit(action: str, book: PriceBook, *, actor: str, using: str, retroactive: bool = False) -> None:
    record_audit(
        action, actor=actor, subject=str(book.version), tenant_id=book.tenant_id, using=using,
        after={"currency": book.currency, "kind": book.kind, "effective_from": book.effective_from.isoformat(),
               **({"retroactive": True} if retroactive else {})},
    )  # fmt: skip
