"""Rated statements made anew from the ledger, as books and commits were known when they were rated: what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from billing.books import commits_of, find_book
from billing.contracts import Difference
from billing.errors import BillingError
from billing.statements import groups as ledger
from billing.statements.canonical import content_hash
from billing.statements.contracts import Group, Statement
from billing.statements.lines import lines_of
from billing.statements.reading import rated_statements

NOTHING = Decimal(0)


def rated_otherwise(period: date, *, using: str) -> Iterator[Difference]:
    """Statements of the month whose lines the ledger's entries do not give again."""
    rated = list(rated_statements(using=using, period=period))
    groups = {
        tenant_id: [group for _, group in same]
        for tenant_id, same in groupby(ledger.every_group(period, using=using), key=itemgetter(0))
    }
    commits = _commits(rated, using=using)
    for statement in rated:
        tenant_id = statement.terms.tenant_id
        again = _again(statement, groups.get(tenant_id, ()), minimum=commits.get(tenant_id, NOTHING), using=using)
        if again != statement.content_hash:
            yield Difference("statement rated anew", str(statement.id), statement.content_hash, again)


def _again(statement: Statement, groups: Sequence[Group], *, minimum: Decimal, using: str) -> str:
    try:
        lines = lines_of(statement.terms, groups, book_of=partial(find_book, using=using), minimum=minimum)
    except BillingError as error:  # one that cannot be rated at all is a difference too
        return str(error)
    return content_hash(statement.terms, lines)


def _commits(rated: Sequence[Statement], *, using: str) -> Mapping[UUID, Decimal]:
    wanted = [(one.terms.tenant_id, one.terms.currency, one.terms.starts_at, one.rated_at) for one in rated]
    return commits_of(wanted, using=using)
