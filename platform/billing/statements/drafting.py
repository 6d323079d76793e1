"""Statements made from the ledger: a draft at any time, all of a month's once its metering is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from apikit.ids import new_id
from billing.books import commits_of, find_book
from billing.errors import MeteringOpen, WrongStatus
from billing.models import BillingPeriod, StatementLine
from billing.models import Statement as Row
from billing.statements import groups as ledger
from billing.statements.canonical import content_hash
from billing.statements.contracts import Group, Line, Statement, Terms, Totals
from billing.statements.lines import lines_of, totals_of
from billing.statements.prepaid import Made, settle_wallets
from billing.statements.reading import LINE_COLUMNS, statement_of
from billing.statements.terms import stored, terms_of

LOCK_CLASS = 7_265_004  # one writer of a month's statements at a time
NOTHING = Decimal(0)

# Idle tenants whose own or plan's book has a minimum commit are asked for it too.
_COMMITTED = """SELECT tenant_id FROM public.price_book WHERE minimum_commit > 0 AND tenant_id IS NOT NULL
 UNION SELECT c.tenant_id FROM public.billing_contract AS c JOIN public.price_book AS b ON b.plan = c.plan
  WHERE b.minimum_commit > 0 AND b.plan <> ''"""


def preview(terms: Terms, groups: Sequence[Group], *, minimum: Decimal, using: str) -> tuple[list[Line], Totals]:
    """Lines and totals; nothing is stored."""
    lines = lines_of(terms, groups, book_of=partial(find_book, using=using), minimum=minimum)
    return lines, totals_of(terms, lines, groups)


def draft_statement(tenant_id: UUID, *, period: date, using: str = "system") -> Statement:
    """The tenant's month as it stands now, in place of an earlier draft. Raises `WrongStatus` once it is rated."""
    with transaction.atomic(using=using):
        _lock(period, using=using)
        _forget_drafts(period, [tenant_id], using=using)
        groups = {tenant_id: ledger.groups_of(tenant_id, period=period, using=using)}
        ((statement, _),) = _store(period, groups, using=using)
    return statement_of(statement.id, using=using)


def rate_month(period: date, *, using: str = "system") -> int:
    """Rate the statements of every tenant for a month whose ledger is closed; how many. Again: those left out.

    Prepaid wallets end at what their statements say. Raises `MeteringOpen` before the ledger's month is closed.
    """
    with transaction.atomic(using=using):
        _lock(period, using=using)
        _check_metered(period, using=using)
        rated = set(_of(period, using=using).exclude(status=Row.Status.DRAFT).values_list("tenant_id", flat=True))
        groups = {
            tenant_id: [group for _, group in same]
            for tenant_id, same in groupby(ledger.every_group(period, using=using), key=itemgetter(0))
        }
        wanted = {tenant_id: groups.get(tenant_id, []) for tenant_id in {*groups, *_committed(using)} - rated}
        _forget_drafts(period, wanted, using=using)
        made = _store(period, wanted, using=using)
        settle_wallets(made, wanted, using=using)  # last: finishing jobs wait for the wallets' rows
        _of(period, using=using).filter(status=Row.Status.DRAFT).update(status=Row.Status.RATED, rated_at=Now())
    return len(made)


def _store(period: date, groups: Mapping[UUID, Sequence[Group]], *, using: str) -> list[Made]:
    terms = terms_of(groups, period=period, using=using)
    commits = commits_of([(one.tenant_id, one.currency, one.starts_at, None) for one in terms.values()], using=using)
    made = [
        _made(one, groups[tenant_id], minimum=commits.get(tenant_id, NOTHING), using=using)
        for tenant_id, one in terms.items()
        if groups[tenant_id] or tenant_id in commits or len(groups) == 1
    ]
    Row.objects.using(using).bulk_create([row for row, _ in made])
    _copy_lines([line for _, lines in made for line in lines], using=using)
    return made


def _made(terms: Terms, groups: Sequence[Group], *, minimum: Decimal, using: str) -> Made:
    lines, totals = preview(terms, groups, minimum=minimum, using=using)
    row = Row(
        id=new_id(), **stored(terms), subtotal=totals.subtotal, tax=totals.tax, total=totals.total,
        from_wallet=totals.from_wallet, due=totals.due, entries=sum(group.entries for group in groups),
        content_hash=content_hash(terms, lines),
    )  # fmt: skip
    return row, [_line(row, ordinal, line) for ordinal, line in enumerate(lines)]


def _line(row: Row, ordinal: int, line: Line) -> StatementLine:
    values: dict[str, Any] = {name: getattr(line, name) for name in LINE_COLUMNS}
    return StatementLine(statement=row, tenant_id=row.tenant_id, ordinal=ordinal, **values)


def _copy_lines(lines: Sequence[StatementLine], *, using: str) -> None:
    StatementLine.objects.using(using).bulk_create(lines, batch_size=2_000)


def _forget_drafts(period: date, tenants: Any, *, using: str) -> None:
    known = _of(period, using=using).filter(tenant_id__in=list(tenants))
    for row in known.exclude(status=Row.Status.DRAFT)[:1]:
        raise WrongStatus("statement", status=row.status, wanted=Row.Status.DRAFT)
    known.delete()


def _of(period: date, *, using: str) -> Any:
    return Row.objects.using(using).filter(period=period)


def _committed(using: str) -> set[UUID]:
    with connections[using].cursor() as cursor:
        cursor.execute(_COMMITTED)
        return {tenant_id for (tenant_id,) in cursor.fetchall()}


def _check_metered(period: date, *, using: str) -> None:
    closed = BillingPeriod.objects.using(using).filter(period=period, status=BillingPeriod.Status.CLOSED)
    if not closed.exists():
        raise MeteringOpen(period)


def _lock(period: date, *, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, period.year * 100 + period.month])
