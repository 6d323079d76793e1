"""What a past month would have cost at another book: the ledger's quantities, rated anew; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from billing import rating
from billing.books import find_book, price_with_draft
from billing.contracts import Book, MeasuredLine
from billing.errors import NoPrice
from billing.statements.contracts import Group
from billing.statements.groups import every_group
from billing.statements.lines import lines_of, totals_of
from billing.statements.terms import terms_of


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A tenant's subtotal as it was rated, and as the other book would have it; without tax and minimum commit."""

    tenant_id: UUID
    currency: str
    was: Decimal
    would_be: Decimal


def what_if(version: int, *, period: date, using: str = "system") -> list[WhatIf]:
    """Every tenant of the book's currency that used something in the month. A draft may be asked about too.

    What the book does not price keeps its price. Quantities stay as they were counted: increments are of the past.
    """
    book = price_with_draft(version, using=using)
    found = []
    for tenant_id, same in groupby(every_group(period, using=using), key=itemgetter(0)):
        groups = [group for _, group in same]
        if all(group.currency == book.currency for group in groups):
            found.append(_compared(tenant_id, groups, book, period=period, using=using))
    return found


def _compared(tenant_id: UUID, groups: list[Group], book: Book, *, period: date, using: str) -> WhatIf:
    terms = terms_of([tenant_id], period=period, using=using)[tenant_id]
    was = lines_of(terms, groups, book_of=lambda known: find_book(known, using=using))
    moved = [_moved(group, book) for group in groups]
    would = lines_of(
        terms, moved, book_of=lambda known: book if known == book.version else find_book(known, using=using)
    )
    return WhatIf(
        tenant_id, terms.currency, totals_of(terms, was, groups).subtotal, totals_of(terms, would, moved).subtotal
    )


def _moved(group: Group, book: Book) -> Group:
    line = MeasuredLine(group.engine, group.model, group.mode, group.meter, 0, feature=group.feature)
    try:
        price = rating.price_for(book, line)
    except NoPrice:
        return group
    if group.adjusted:
        return group
    return replace(group, book_version=book.version, unit_price=price.unit_price, unit_size=price.unit_size)
