"""`parlance billing wallet …`: prepaid money and budgets."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.app import set_up
from workers.cli.billing_options import By, Json, TenantName, explained, money, show, tenant_id_of

app = typer.Typer(no_args_is_help=True, help="Prepaid money and budgets.")


@app.command("set")
def set_command(
    tenant: TenantName,
    credit_limit: Annotated[str, typer.Option(help="How far below 0 the balance may go.")] = "0",
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Make a tenant prepaid, or change its credit limit. The balance stays: `wallet grant` puts money in."""
    set_up("cli")
    from billing.facade import set_wallet
    from tenants.facade import currency_of

    tenant_id, limit = tenant_id_of(tenant), money(credit_limit)
    if limit < 0:
        raise typer.BadParameter("a credit limit is at least 0")
    with explained():
        currency = currency_of(tenant_id)
        set_wallet(tenant_id, currency=currency, balance=None, credit_limit=limit, actor=by)
    show({"wallet": tenant, "currency": currency, "credit_limit": credit_limit}, as_json)


@app.command("low-at")
def low_at_command(
    tenant: TenantName,
    amount: Annotated[str, typer.Argument(help="Tell (event `wallet.low`) when less is left; `off`: never.")],
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Choose when a tenant is told that its balance is low."""
    set_up("cli")
    from billing.facade import set_low_at

    with explained():
        set_low_at(tenant_id_of(tenant), amount=None if amount == "off" else money(amount), actor=by)
    show({"wallet": tenant, "low_at": amount}, as_json)


@app.command("grant")
def grant_command(
    tenant: TenantName,
    amount: str,
    operation: Annotated[str, typer.Option(help="Names the payment: the same again changes nothing.")],
    expires_days: Annotated[int | None, typer.Option(min=1, help="Days until what is left is taken out.")] = None,
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Put money into a tenant's wallet."""
    set_up("cli")
    from datetime import UTC, datetime, timedelta

    from billing.facade import grant

    expires = datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    with explained():
        new = grant(tenant_id_of(tenant), amount=money(amount), operation=operation, actor=by, expires_at=expires)
    show({"operation": operation, "granted": amount, "new": new}, as_json)


@app.command("budget")
def budget_command(
    tenant: TenantName,
    name: str,
    amount: str,
    soft: Annotated[bool, typer.Option("--soft", help="Only tell, never refuse.")] = False,
    key: Annotated[str | None, typer.Option(help="Only for this key (key_…).")] = None,
    by: By = "operator",
    as_json: Json = False,
) -> None:
    """Set what a tenant, or one key, may spend in a month."""
    set_up("cli")
    from apikit import ids
    from billing.facade import set_budget

    key_id = ids.parse(ids.API_KEY, key) if key else None
    if key and key_id is None:
        raise typer.BadParameter("a key id looks like key_…")
    with explained():
        set_budget(tenant_id_of(tenant), name=name, amount=money(amount), hard=not soft, api_key_id=key_id, actor=by)
    show({"budget": name, "amount": amount, "hard": not soft, "key": key}, as_json)
