"""Tables of `billing`: public, of ids, counts and prices."""

from billing.models.books import FxRate, FxTable, Price, PriceBook
from billing.models.ledger import BillingPeriod, Hold, UsageEntry
from billing.models.statements import Adjustment, Contract, Statement, StatementLine
from billing.models.wallets import Wallet

__all__ = [
    "Adjustment",
    "BillingPeriod",
    "Contract",
    "FxRate",
    "FxTable",
    "Hold",
    "Price",
    "PriceBook",
    "Statement",
    "StatementLine",
    "UsageEntry",
    "Wallet",
]
