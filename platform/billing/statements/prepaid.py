"""When a month is rated, a prepaid wallet ends at what the statement says: tiers, included usage, rounding.

Jobs are debited at the unit price as they finish; only the whole month knows its tiers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from billing.models import Statement as Row
from billing.models import StatementLine
from billing.rating import difference, total
from billing.statements.contracts import MINIMUM, TAX, Group
from billing.wallets import true_up

Made = tuple[Row, list[StatementLine]]


def settle_wallets(made: Sequence[Made], groups: Mapping[UUID, Sequence[Group]], *, using: str) -> None:
    """Move the difference of each wallet once, and write on the draft what it paid; in the rating's transaction."""
    for row, lines in sorted(made, key=lambda one: one[0].tenant_id):
        if any(group.wallet_amount for group in groups[row.tenant_id]):
            row.from_wallet = _paid(row, lines, groups[row.tenant_id], using=using)
            row.due = difference(row.total, row.from_wallet)
            row.save(using=using, update_fields=["from_wallet", "due"])


def _paid(row: Row, lines: Sequence[StatementLine], groups: Sequence[Group], *, using: str) -> Decimal:
    """A wallet that paid for every entry pays all usage, if it covers that; any other at most what it was debited."""
    debited = total(group.wallet_amount for group in groups)
    used = total(line.amount for line in lines if line.kind not in (TAX, MINIMUM))
    prepaid = all(group.wallet_amount == group.amount for group in groups)
    for paid in (used, row.from_wallet) if prepaid else (row.from_wallet,):
        if true_up(
            row.tenant_id, amount=difference(debited, paid), currency=row.currency,
            operation=f"statement:{row.period:%Y-%m}", using=using,
        ):  # fmt: skip
            return paid
    return row.from_wallet
