"""Tables of `billing`: public, of ids, counts and prices."""

from billing.models.books import FxRate, FxTable, Price, PriceBook
from billing.models.ledger import BillingPeriod, Hold, UsageEntry
from billing.models.reconciliation import Reconciliation
from billing.models.rollup import UsageDay, UsageDelta, UsageQuarter
from billing.models.statements import Adjustment, Contract, Statement, StatementLine
from billing.models.wallets import Budget, Wallet, WalletEntry, WalletGrant

__all__ = [
    "Adjustment",
    "BillingPeriod",
    "Budget",
    "Contract",
    "FxRate",
    "FxTable",
    "Hold",
    "Price",
    "PriceBook",
    "Reconciliation",
    "Statement",
    "StatementLine",
    "UsageDay",
    "UsageDelta",
    "UsageEntry",
    "UsageQuarter",
    "Wallet",
    "WalletEntry",
    "WalletGrant",
]
