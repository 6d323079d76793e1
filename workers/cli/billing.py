"""`parlance billing …`: prove the ledger, close months, take statements to their end, put books in force."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.app import set_up
from workers.cli import billing_money, billing_wallets
from workers.cli.billing_options import By, Json, Month, StatementId, TenantName, explained
from workers.cli.billing_options import month_of as _month
from workers.cli.billing_options import show as _show
from workers.cli.billing_options import statement_id_of as _statement
from workers.cli.billing_options import tenant_id_of as _tenant

app = typer.Typer(no_args_is_help=True, help="Check the ledger, close months, statements, price books, wallets.")
statement_app = typer.Typer(no_args_is_help=True, help="Draft, review, approve, push and close statements.")
book_app = typer.Typer(no_args_is_help=True, help="Draft and approve price books, ask what they would change.")
app.add_typer(statement_app, name="statement")
app.add_typer(book_app, name="book")
app.add_typer(billing_wallets.app, name="wallet")
app.add_typer(billing_money.contract_app, name="contract")
app.add_typer(billing_money.fx_app, name="fx")
app.add_typer(billing_money.adjust_app, name="adjust")
app.add_typer(billing_money.invoice_app, name="invoice")


@app.command("check")
def check_command(as_json: Json = False) -> None:
    """Compare jobs, ledger, sums, wallets, holds, budgets and statements; exit code 1 when something differs."""
    set_up("cli")
    from billing.facade import check

    found = check()
    for one in found:
        shape = {"what": one.what, "subject": one.subject, "expected": one.expected, "found": one.found}
        typer.echo(json.dumps(shape) if as_json else f"{one.what}: {one.subject}: {one.expected} is {one.found}")
    if not found and not as_json:
        typer.echo("Everything agrees.")
    raise typer.Exit(1 if found else 0)


@app.command("import")
def import_command(file: Path, by: By, as_json: Json = False) -> None:
    """Put usage that was metered elsewhere into the ledger, from a file of JSON lines (see docs/billing.md)."""
    set_up("cli")
    from billing.facade import import_lines

    with explained(), file.open(encoding="utf-8") as lines:
        read, added = import_lines(lines, actor=by)
    _show({"entries": read, "added": added, "known": read - added}, as_json)


@app.command("close")
def close_command(month: Month, by: By = "operator", as_json: Json = False) -> None:
    """Close the ledger's month and rate every tenant's statement. Again: what is missing."""
    set_up("cli")
    from billing.facade import BillingError, close_period, rate_month

    try:
        closed = close_period(_month(month), actor=by)
        rated = rate_month(_month(month))
    except BillingError as error:
        raise typer.BadParameter(str(error)) from None
    _show({"month": month, "entries": closed.entries, "sha256": closed.content_hash, "rated": rated}, as_json)


@app.command("margin")
def margin_command(
    month: Month,
    currency: Annotated[str, typer.Option(help="Into which everything is converted.")] = "USD",
    as_json: Json = False,
) -> None:
    """What each engine brought and what its provider asks, with the rate and rate table behind every conversion."""
    set_up("cli")
    from billing.facade import margins

    with explained():
        for one in margins(_month(month), currency=currency.upper()):
            _show(_margin(one), as_json, line=True)


@statement_app.command("list")
def list_command(month: Month, as_json: Json = False) -> None:
    """The statements of a month."""
    set_up("cli")
    from billing.facade import list_statements

    for found in list_statements(period=_month(month)):
        _show(_shape(found), as_json, line=True)


@statement_app.command("draft")
def draft_command(tenant: TenantName, month: Month, as_json: Json = False) -> None:
    """Make a draft of the month as it stands now."""
    set_up("cli")
    from billing.facade import BillingError, draft_statement

    try:
        _show(_shape(draft_statement(_tenant(tenant), period=_month(month))), as_json)
    except BillingError as error:
        raise typer.BadParameter(str(error)) from None


@statement_app.command("show")
def show_command(statement: StatementId, as_json: Json = False) -> None:
    """Every line and how its amount came about."""
    set_up("cli")
    from billing.facade import shown_amount, statement_of

    found = statement_of(_statement(statement))
    _show(_shape(found), as_json)
    for line in found.lines:
        shape = {
            "kind": line.kind, "amount": shown_amount(line.amount), "formula": line.formula, "what": line.description
        }  # fmt: skip
        _show(shape, as_json, line=True)


@statement_app.command("step")
def step_command(
    step: Annotated[str, typer.Argument(help="review, approve, push or close.")],
    statement: StatementId,
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Take a statement one step on."""
    set_up("cli")
    from billing import facade

    steps = {
        "review": facade.review_statement, "approve": facade.approve_statement, "push": facade.mark_pushed,
        "close": facade.close_statement,
    }  # fmt: skip
    if step not in steps:
        raise typer.BadParameter(f"a step is one of {', '.join(steps)}")
    try:
        _show(_shape(steps[step](_statement(statement), actor=by)), as_json)
    except facade.BillingError as error:
        raise typer.BadParameter(str(error)) from None


@book_app.command("draft")
def draft_book_command(file: Path, by: By, as_json: Json = False) -> None:
    """Read a book from a JSON file (see docs/billing.md) and keep it as a draft."""
    set_up("cli")
    from billing.facade import draft_book

    try:
        document = json.loads(file.read_text("utf-8"), parse_float=Decimal)
        _show({"version": draft_book(document, actor=by), "status": "draft"}, as_json)
    except (ValueError, KeyError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None


@book_app.command("approve")
def approve_book_command(
    version: int,
    by: By,
    retroactive: Annotated[
        bool, typer.Option(help="It may change the minimum commit of months that have begun and are not rated.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a draft in force from its start on. It never changes again."""
    set_up("cli")
    from billing.facade import BillingError, approve_book

    try:
        approve_book(version, actor=by, retroactive=retroactive)
    except BillingError as error:
        raise typer.BadParameter(str(error)) from None
    _show({"version": version, "status": "approved"}, as_json)


@book_app.command("what-if")
def what_if_command(version: int, month: Month, as_json: Json = False) -> None:
    """What a past month would have cost at a book, tenant by tenant."""
    set_up("cli")
    from apikit import ids
    from billing.facade import shown_amount, what_if

    for one in what_if(version, period=_month(month)):
        shape = {
            "tenant": ids.show(ids.TENANT, one.tenant_id), "currency": one.currency, "was": shown_amount(one.was),
            "would_be": shown_amount(one.would_be),
        }  # fmt: skip
        _show(shape, as_json, line=True)


def _margin(one: Any) -> dict[str, Any]:
    from billing.facade import shown_amount

    shown = {
        name: [
            {"amount": shown_amount(part.amount), "currency": part.currency, "rate": shown_amount(part.rate),
             "rate_table": part.table, "converted": shown_amount(part.converted)}
            for part in parts
        ]
        for name, parts in (("revenue", one.revenue), ("cost", one.cost))
    }  # fmt: skip
    return {
        "engine": one.engine, "margin": shown_amount(one.margin), "currency": one.currency, **shown,
        "without_rate": list(one.missing),
    }  # fmt: skip


def _shape(found: Any) -> dict[str, Any]:
    from apikit import ids
    from billing.facade import shown_amount

    return {
        "id": ids.show(ids.STATEMENT, found.id), "status": found.status, "tenant": found.terms.legal_name,
        "total": shown_amount(found.totals.total), "currency": found.terms.currency, "sha256": found.content_hash,
    }  # fmt: skip
