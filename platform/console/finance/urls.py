"""Every page by its path: the path, the view, and whether it is for everybody."""

from __future__ import annotations

from typing import Final

from console.finance import access, closing, corrections, exchange, ledger, overview, prices, statements
from console.finance.handling import View

ID: Final = "[0-9a-f-]{36}"
PAGES: Final[tuple[tuple[str, View, bool], ...]] = (
    (r"/finance/login", access.log_in, True),
    (r"/finance/join/(?P<token>[\w-]{20,80})", access.join, True),
    (r"/finance/style\.css", access.style, True),
    (r"/finance/logout", access.log_out, False),
    (r"/finance/", overview.overview, False),
    (r"/finance/ledger", ledger.ledger, False),
    (r"/finance/wallets", ledger.wallets, False),
    (r"/finance/receivables", ledger.receivables, False),
    (r"/finance/reconciliation", ledger.reconciliation, False),
    (r"/finance/reconciliation/run", ledger.reconcile, False),
    (r"/finance/audit-log", ledger.audit_log, False),
    (r"/finance/close", closing.board, False),
    (r"/finance/close/(?P<step>close|rate)", closing.month_step, False),
    (r"/finance/statements", statements.statements, False),
    (rf"/finance/statements/(?P<statement_id>{ID})", statements.statement, False),
    (rf"/finance/statements/(?P<statement_id>{ID})/lines/(?P<ordinal>\d{{1,5}})", statements.line, False),
    (rf"/finance/statements/(?P<statement_id>{ID})/(?P<step>review|approve|push|close)", closing.step, False),
    (rf"/finance/statements/(?P<statement_id>{ID})/credit-note", corrections.credit_note, False),
    (rf"/finance/statements/(?P<statement_id>{ID})/void", corrections.void, False),
    (r"/finance/top-ups", corrections.top_ups, False),
    (r"/finance/adjustments", corrections.adjustments, False),
    (rf"/finance/adjustments/(?P<adjustment_id>{ID})/(?P<answer>approve|reject)", corrections.answer, False),
    (rf"/finance/jobs/(?P<job_id>{ID})/reverse", corrections.reverse, False),
    (r"/finance/rates", exchange.rates, False),
    (r"/finance/rates/(?P<version>\d{1,9})/approve", exchange.approve, False),
    (r"/finance/prices", prices.books, False),
    (r"/finance/prices/(?P<version>\d{1,9})/what-if", prices.compare, False),
    (r"/finance/prices/(?P<version>\d{1,9})", prices.book, False),
    (r"/finance/prices/(?P<version>\d{1,9})/(?P<step>draft|approve)", prices.step, False),
)
