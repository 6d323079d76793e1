"""The only door to `billing`."""

from billing.api import router
from billing.books import forget_books, seed_default_books
from billing.checks import check
from billing.contracts import (
    AUDIO_MS,
    CHARACTERS,
    NO_CURRENCY,
    ClosedPeriod,
    Cost,
    Difference,
    MeasuredLine,
    UsageLine,
    UsageSummary,
)
from billing.errors import BillingError, CurrencyFrozen, HoldMissing, InsufficientFunds, NoPrice, PeriodNotOver
from billing.gauges import ledger_gauges
from billing.holds import HOLD, Quote, place_hold, quote_hold, raise_hold, release
from billing.periods import close_period, make_partitions
from billing.queries import costs_of, usage_summary
from billing.rates import hourly_rates
from billing.rating import shown as shown_amount
from billing.settlement import SETTLE, charge, settle
from billing.wallets import set_wallet

__all__ = [
    "AUDIO_MS",
    "CHARACTERS",
    "HOLD",
    "NO_CURRENCY",
    "SETTLE",
    "BillingError",
    "ClosedPeriod",
    "Cost",
    "CurrencyFrozen",
    "Difference",
    "HoldMissing",
    "InsufficientFunds",
    "MeasuredLine",
    "NoPrice",
    "PeriodNotOver",
    "Quote",
    "UsageLine",
    "UsageSummary",
    "charge",
    "check",
    "close_period",
    "costs_of",
    "forget_books",
    "hourly_rates",
    "ledger_gauges",
    "make_partitions",
    "place_hold",
    "quote_hold",
    "raise_hold",
    "release",
    "router",
    "seed_default_books",
    "set_wallet",
    "settle",
    "shown_amount",
    "usage_summary",
]
