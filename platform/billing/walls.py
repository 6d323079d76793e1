"""Who may do what with money. The ledger can only be added to; a trigger says the same to the owner.

The app role may move the balance and holds of a wallet and budgets with a job, but make or widen none.
"""

from apikit.walls import Wall
from billing import procedures

WALLS = (
    Wall("price_book", app="SELECT", system="SELECT", shared_rows=True),
    Wall("price", app="SELECT", system="SELECT", shared_rows=True),
    Wall("fx_table", system="SELECT", tenant_column=None),
    Wall("fx_rate", system="SELECT", tenant_column=None),
    Wall("billing_contract", app="SELECT", system="SELECT"),
    Wall("adjustment", system="SELECT, INSERT, UPDATE"),
    Wall("statement", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("statement_line", app="SELECT", system="SELECT, INSERT, DELETE"),
    Wall("wallet", app="SELECT, UPDATE (balance, held, spent)", system="SELECT, INSERT, UPDATE"),
    Wall("wallet_grant", app="SELECT", system="SELECT, INSERT, UPDATE (remaining)"),
    Wall("wallet_entry", app="SELECT", system="SELECT, INSERT"),
    Wall("budget", app="SELECT, UPDATE (period, spent, held, told)", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("usage_delta", app="SELECT, INSERT", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("usage_quarter", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE"),
    Wall("usage_day", app="SELECT", system="SELECT, INSERT, DELETE"),
    Wall("hold", app="SELECT, INSERT, UPDATE (amount), DELETE", system="SELECT, UPDATE (amount), DELETE"),
    Wall("usage_entry", app="SELECT, INSERT", system="SELECT, INSERT"),
    Wall("reconciliation", system="SELECT, INSERT, UPDATE", tenant_column=None),
    Wall("billing_period", app="SELECT", system="SELECT, INSERT, UPDATE", tenant_column=None),
)
FUNCTIONS = (
    'GRANT EXECUTE ON FUNCTION public.parlance_make_ledger_partitions(int, int) TO "{system}"',
    *procedures.FUNCTIONS,
)
