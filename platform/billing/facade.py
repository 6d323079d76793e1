"""The only door to `billing`."""

from billing.adjusting import (
    approve_adjustment,
    list_adjustments,
    reject_adjustment,
    request_adjustment,
    request_reversal,
)
from billing.api import router
from billing.books import forget_books, seed_default_books
from billing.budgets import drop_budget, set_budget, tell_thresholds
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
    ChangesPast,
    CurrencyFrozen,
    HoldMissing,
    InsufficientFunds,
    MeteringOpen,
    MixedCurrencies,
    NoPrice,
    NothingToReverse,
    NoWallet,
    PeriodNotOver,
    SamePerson,
    WrongEntry,
    WrongStatus,
)
from billing.gauges import ledger_gauges
from billing.holds import HOLD, Quote, place_hold, quote_hold, raise_hold, release
from billing.import_lines import import_lines
from billing.importing import ImportedEntry, import_entries
from billing.margins import Converted, Margin, margins
from billing.periods import close_period, make_partitions
from billing.publishing import approve_book, approve_rates, draft_book, draft_rates
from billing.queries import costs_of
from billing.rates import hourly_rates
from billing.rating import shown as shown_amount
from billing.reconciling import Run, ask_reconciliation, reconcile_once, reconciliation_runs, run_reconciler
from billing.review import (
    BookRow,
    LedgerSum,
    MonthFacts,
    Wanted,
    audit_rows,
    billed_job,
    book_rows,
    ledger_rows,
    ledger_sums,
    month_facts,
    price_rows,
    rate_rows,
    receivable_rows,
    usage_by_day,
    wallet_rows,
)
from billing.settlement import SETTLE, charge, settle
from billing.spend import Spend, spend_of
from billing.statements.contracts import Line, Statement, Terms, Totals
from billing.statements.drafting import draft_statement, rate_month
from billing.statements.entries import Entry, all_entries, entries_page
from billing.statements.export import json_lines
from billing.statements.paper import statement_pdf
from billing.statements.reading import list_statements, statement_of
from billing.statements.sheets import as_csv, statement_csv
from billing.statements.stream import statement_stream
from billing.statements.terms import set_contract
from billing.statements.workflow import approve_statement, close_statement, mark_pushed, review_statement
from billing.statements_api import router as statements_router
from billing.streams import record_chunk
from billing.sums import fold as fold_usage
from billing.usage import usage_summary
from billing.usage_tags.digests import KEEP_NAMES, erase_tag, keep_names, tag_values
from billing.wallets import expire_grants, grant, set_low_at, set_wallet
from billing.what_if import WhatIf, what_if

__all__ = [
    "AUDIO_MS",
    "BYOK",
    "CHARACTERS",
    "HOLD",
    "KEEP_NAMES",
    "NO_CURRENCY",
    "SETTLE",
    "BillingError",
    "BookRow",
    "BudgetExceeded",
    "ChangesPast",
    "ClosedPeriod",
    "Converted",
    "Cost",
    "CostLine",
    "CurrencyFrozen",
    "Difference",
    "Entry",
    "HoldMissing",
    "ImportedEntry",
    "InsufficientFunds",
    "LedgerSum",
    "Line",
    "Margin",
    "MeasuredLine",
    "MeteringOpen",
    "MixedCurrencies",
    "MonthFacts",
    "NoPrice",
    "NoWallet",
    "NothingToReverse",
    "PeriodNotOver",
    "Quote",
    "Run",
    "SamePerson",
    "Spend",
    "Statement",
    "Terms",
    "Totals",
    "UsageLine",
    "UsageSummary",
    "Wanted",
    "WhatIf",
    "WrongEntry",
    "WrongStatus",
    "all_entries",
    "approve_adjustment",
    "approve_book",
    "approve_rates",
    "approve_statement",
    "as_csv",
    "ask_reconciliation",
    "audit_rows",
    "billed_job",
    "book_rows",
    "charge",
    "check",
    "close_period",
    "close_statement",
    "costs_of",
    "draft_book",
    "draft_rates",
    "draft_statement",
    "drop_budget",
    "entries_page",
    "erase_tag",
    "expire_grants",
    "fold_usage",
    "forget_books",
    "grant",
    "hourly_rates",
    "import_entries",
    "import_lines",
    "json_lines",
    "keep_names",
    "ledger_gauges",
    "ledger_rows",
    "ledger_sums",
    "list_adjustments",
    "list_statements",
    "make_partitions",
    "margins",
    "mark_pushed",
    "month_facts",
    "place_hold",
    "price_rows",
    "quote_hold",
    "raise_hold",
    "rate_month",
    "rate_rows",
    "receivable_rows",
    "reconcile_once",
    "reconciliation_runs",
    "record_chunk",
    "record_costs",
    "reject_adjustment",
    "release",
    "request_adjustment",
    "request_reversal",
    "review_statement",
    "router",
    "run_reconciler",
    "seed_default_books",
    "set_budget",
    "set_contract",
    "set_low_at",
    "set_wallet",
    "settle",
    "shown_amount",
    "spend_of",
    "statement_csv",
    "statement_of",
    "statement_pdf",
    "statement_stream",
    "statements_router",
    "tag_values",
    "tell_thresholds",
    "usage_by_day",
    "usage_summary",
    "wallet_rows",
    "what_if",
]
