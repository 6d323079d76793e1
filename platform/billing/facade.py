"""The only door to `billing`."""

from billing.api import router
from billing.books import forget_books, seed_default_books
from billing.checks import check
from billing.contracts import (
    AUDIO_MS,
    BYOK,
    CHARACTERS,
    NO_CURRENCY,
    ClosedPeriod,
    Cost,
    Difference,
    MeasuredLine,
    UsageLine,
    UsageSummary,
)
from billing.costs import CostLine, record_costs
from billing.errors import (
    BillingError,
    BudgetExceeded,
    CurrencyFrozen,
    HoldMissing,
    InsufficientFunds,
    MeteringOpen,
    MixedCurrencies,
    NoPrice,
    NoWallet,
    PeriodNotOver,
    SamePerson,
    WrongStatus,
)
from billing.gauges import ledger_gauges
from billing.holds import HOLD, Quote, place_hold, quote_hold, raise_hold, release
from billing.periods import close_period, make_partitions
from billing.queries import costs_of, usage_summary
from billing.rates import hourly_rates
from billing.rating import shown as shown_amount
from billing.settlement import SETTLE, charge, settle
from billing.statements.contracts import Line, Statement, Terms, Totals
from billing.statements.drafting import draft_statement, rate_month
from billing.statements.reading import list_statements, statement_of
from billing.statements.terms import set_contract
from billing.statements.workflow import approve_statement, close_statement, mark_pushed, review_statement
from billing.sums import fold as fold_usage
from billing.usage_tags.digests import KEEP_NAMES, erase_tag, keep_names, tag_values
from billing.wallets import expire_grants, grant, set_wallet

__all__ = [
    "AUDIO_MS",
    "BYOK",
    "CHARACTERS",
    "HOLD",
    "KEEP_NAMES",
    "NO_CURRENCY",
    "SETTLE",
    "BillingError",
    "BudgetExceeded",
    "ClosedPeriod",
    "Cost",
    "CostLine",
    "CurrencyFrozen",
    "Difference",
    "HoldMissing",
    "InsufficientFunds",
    "Line",
    "MeasuredLine",
    "MeteringOpen",
    "MixedCurrencies",
    "NoPrice",
    "NoWallet",
    "PeriodNotOver",
    "Quote",
    "SamePerson",
    "Statement",
    "Terms",
    "Totals",
    "UsageLine",
    "UsageSummary",
    "WrongStatus",
    "approve_statement",
    "charge",
    "check",
    "close_period",
    "close_statement",
    "costs_of",
    "draft_statement",
    "erase_tag",
    "expire_grants",
    "fold_usage",
    "forget_books",
    "grant",
    "hourly_rates",
    "keep_names",
    "ledger_gauges",
    "list_statements",
    "make_partitions",
    "mark_pushed",
    "place_hold",
    "quote_hold",
    "raise_hold",
    "rate_month",
    "record_costs",
    "release",
    "review_statement",
    "router",
    "seed_default_books",
    "set_contract",
    "set_wallet",
    "settle",
    "shown_amount",
    "statement_of",
    "tag_values",
    "usage_summary",
]
