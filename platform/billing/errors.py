"""Errors of `billing`.

BillingError
├── InsufficientFunds  402: the wallet and its credit do not cover the hold; nothing was changed
├── BudgetExceeded     402: a hard budget of the tenant or the key has no room for the hold; nothing was changed
├── NoPrice            no approved book prices this engine and meter in this currency
├── HoldMissing        a live job is to be settled that has neither a hold nor entries
├── PeriodNotOver      a month can be closed once it is over in every tenant's time zone
├── NothingToReverse   a job to be taken back has no entries, or they were taken back before
├── NoWallet           money is to be put where there is no wallet
├── CurrencyFrozen     a wallet in use keeps its currency
├── MixedCurrencies    a tenant's ledger holds another currency than its contract's
├── MeteringOpen       statements are rated once the ledger's month is closed
├── SamePerson         who asked or reviewed cannot approve
├── ChangesPast        a book would give months that have begun another minimum commit
├── WrongEntry         an entry to be imported could never be on a statement
└── WrongStatus        a statement, book or adjustment is not at the step that this needs
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


class BillingError(Exception):
    """Base of all errors of `billing`; `code` is stable."""

    code = "billing_error"


class InsufficientFunds(BillingError):
    """`amount` is what the job would have needed in all."""

    code = "insufficient_funds"

    def __init__(self, amount: Decimal, *, currency: str) -> None:
        super().__init__("The wallet does not cover this job. Top it up or ask for a credit limit, then repeat.")
        self.amount = amount
        self.currency = currency


class BudgetExceeded(InsufficientFunds):
    """`limit` is the budget's amount per month."""

    code = "budget_exceeded"

    def __init__(self, name: str, *, limit: Decimal, currency: str) -> None:
        BillingError.__init__(
            self,
            f"The budget {name!r} of {limit.normalize():f} {currency} a month has no room for this job. Raise it, or "
            "wait for the next month.",
        )
        self.amount = limit
        self.currency = currency


class NoPrice(BillingError):
    code = "no_price"

    def __init__(self, engine: str, *, meter: str, currency: str) -> None:
        super().__init__(
            f"Engine {engine} has no price for {meter} in {currency}. Approve a price book that has one, or "
            "choose another engine."
        )
        self.engine = engine
        self.meter = meter
        self.currency = currency


class HoldMissing(BillingError):
    code = "hold_missing"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"Job {job_id} has neither a hold nor entries. Check why its hold was released.")
        self.job_id = job_id


class PeriodNotOver(BillingError):
    code = "period_not_over"

    def __init__(self, period: date, *, time_zone: str) -> None:
        super().__init__(f"{period:%Y-%m} is not over yet in {time_zone}. Close it in the month after.")
        self.period = period


class CurrencyFrozen(BillingError):
    code = "currency_frozen"

    def __init__(self, currency: str) -> None:
        super().__init__(f"The wallet holds {currency}. Bring its balance and holds to zero before changing it.")
        self.currency = currency


class NothingToReverse(BillingError):
    code = "nothing_to_reverse"

    def __init__(self, subject_id: UUID | None) -> None:
        super().__init__(f"Job {subject_id} has no entries of this tenant, or they were reversed before.")


class NoWallet(BillingError):
    code = "no_wallet"

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__(f"Tenant {tenant_id} is postpaid. Give it a wallet first: parlance billing wallet set TENANT.")


class MixedCurrencies(BillingError):
    code = "mixed_currencies"

    def __init__(self, found: str, *, wanted: str) -> None:
        super().__init__(f"Entries in {found} cannot be added to a statement in {wanted}. Reverse or move them first.")
        self.found = found


class MeteringOpen(BillingError):
    code = "metering_open"

    def __init__(self, period: date) -> None:
        super().__init__(f"The ledger of {period:%Y-%m} still takes entries. Close the month first.")
        self.period = period


class SamePerson(BillingError):
    code = "same_person"

    def __init__(self, actor: str) -> None:
        super().__init__(f"{actor} took the step before this one. Another person has to approve.")
        self.actor = actor


class ChangesPast(BillingError):
    code = "changes_past"

    def __init__(self, version: int, *, effective_from: datetime) -> None:
        super().__init__(
            f"Book {version} begins on {effective_from:%Y-%m-%d %H:%M} UTC: minimum commits of months that have begun "
            "would change. Draft it again from a later month on, or approve it with "
            f"`parlance billing book approve {version} --retroactive` if both sides agreed to that."
        )
        self.version = version


class WrongStatus(BillingError):
    code = "wrong_status"

    def __init__(self, what: str, *, status: str, wanted: str) -> None:
        super().__init__(f"This {what} is {status}; it would have to be {wanted}.")
        self.status = status


class WrongEntry(BillingError):
    code = "wrong_entry"

    def __init__(self, subject_id: UUID, why: str) -> None:
        super().__init__(
            f"The entry of {subject_id}: {why}. Mend it and import the file again: nothing is added twice."
        )
        self.subject_id = subject_id
