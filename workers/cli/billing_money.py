"""`parlance billing contract|fx|adjust|invoice …`: terms, exchange rates, corrections, what Stripe collects."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer

from workers.app import set_up
from workers.cli.billing_options import (
    By,
    Json,
    Month,
    StatementId,
    TenantName,
    explained,
    money,
    month_of,
    show,
    statement_id_of,
    tenant_id_of,
)

contract_app = typer.Typer(no_args_is_help=True, help="Terms of statements: to whom, which tax, which plan.")
fx_app = typer.Typer(no_args_is_help=True, help="Exchange rates, put in force by two people.")
adjust_app = typer.Typer(no_args_is_help=True, help="Credits, debits and what goes back, decided by two people.")
invoice_app = typer.Typer(no_args_is_help=True, help="What Stripe collects: credit notes, voids, refunds.")

Version = Annotated[int, typer.Argument(help="The table's version.")]
Reason = Annotated[str, typer.Option(help="goodwill, outage, quality, pricing, duplicate or other.")]
Text = Annotated[str, typer.Option(help="Why, for whoever approves it.")]
AdjustmentId = Annotated[UUID, typer.Argument(help="Id of the adjustment.")]


@contract_app.command("set")
def set_contract_command(
    tenant: TenantName,
    month: Month,
    by: By,
    legal_name: Annotated[str, typer.Option(help="Who is billed; the tenant's name without it.")] = "",
    address: str = "",
    registration_number: Annotated[str, typer.Option(help="Tax or company number.")] = "",
    tax_name: Annotated[str, typer.Option(help="Such as VAT.")] = "",
    tax_percent: str = "0",
    plan: Annotated[str, typer.Option(help="Whose price book applies.")] = "",
    collection: Annotated[str, typer.Option(help="none or stripe.")] = "none",
    as_json: Json = False,
) -> None:
    """Put terms in force from a month on, in place of all before. Currency and zone are the tenant's own."""
    set_up("cli")
    from billing.facade import set_contract

    percent = money(tax_percent)
    if collection not in ("none", "stripe") or not 0 <= percent <= 100:
        raise typer.BadParameter("collection is none or stripe, tax_percent from 0 to 100")
    with explained():
        set_contract(
            tenant_id_of(tenant), starts_on=month_of(month), actor=by, plan=plan, legal_name=legal_name,
            address=address, registration_number=registration_number, tax_name=tax_name, tax_percent=percent,
            collection=collection,
        )  # fmt: skip
    show({"contract": tenant, "from": month, "tax": f"{tax_name} {tax_percent}", "collection": collection}, as_json)


@fx_app.command("set")
def set_rates_command(
    day: Annotated[str, typer.Argument(help="In force from this day on, such as 2026-12-01.")],
    rate: Annotated[list[str], typer.Option(help="USD/KRW=1380.25: one USD is so many KRW; repeat.")],
    source: Annotated[str, typer.Option(help="Where the rates are from.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Draft a table of exchange rates."""
    set_up("cli")
    from billing.facade import draft_rates

    with explained():
        rates = dict(_rate(one) for one in rate)
        version = draft_rates(rates, effective_from=date.fromisoformat(day), source=source, actor=by)
    show({"version": version, "status": "draft"}, as_json)


@fx_app.command("approve")
def approve_rates_command(version: Version, by: By, as_json: Json = False) -> None:
    """Put a table in force. It never changes again."""
    set_up("cli")
    from billing.facade import approve_rates

    with explained():
        approve_rates(version, actor=by)
    show({"version": version, "status": "approved"}, as_json)


@adjust_app.command("propose")
def propose_command(
    tenant: TenantName,
    amount: Annotated[str, typer.Option(help="Above 0 a debit, below 0 a credit: --amount=-5.")],
    reason: Reason,
    text: Text,
    by: By,
    as_json: Json = False,
) -> None:
    """Ask for a credit or debit in the tenant's currency."""
    set_up("cli")
    from billing.facade import request_adjustment
    from tenants.facade import currency_of

    tenant_id = tenant_id_of(tenant)
    with explained():
        asked = request_adjustment(
            tenant_id, amount=money(amount), currency=currency_of(tenant_id), reason=reason, text=text, actor=by
        )
    show({"id": str(asked), "status": "requested"}, as_json)


@adjust_app.command("reverse")
def reverse_command(
    job: Annotated[str, typer.Argument(help="Id of the job (trn_… or spc_…).")],
    reason: Reason,
    text: Text,
    by: By,
    as_json: Json = False,
) -> None:
    """Ask to take back everything that a job was billed."""
    set_up("cli")
    from apikit import ids
    from billing.facade import request_reversal
    from dispatch.facade import get_job
    from tenants.facade import currency_of

    job_id = ids.parse(ids.TRANSCRIPTION, job) or ids.parse(ids.SPEECH, job)
    found = get_job(job_id, using="system") if job_id else None
    if found is None:
        raise typer.BadParameter("there is no such job; its id looks like trn_… or spc_…")
    with explained():
        asked = request_reversal(
            found.tenant_id, subject_id=found.id, subject_created_at=found.created_at,
            currency=currency_of(found.tenant_id), reason=reason, text=text, actor=by,
        )  # fmt: skip
    show({"id": str(asked), "status": "requested"}, as_json)


@adjust_app.command("list")
def list_adjustments_command(
    tenant: Annotated[str, typer.Option(help="Only of this tenant (name or id).")] = "", as_json: Json = False
) -> None:
    """What was asked for, the newest first: by whom, why, and who decided."""
    set_up("cli")
    from billing.facade import list_adjustments, shown_amount

    for one in list_adjustments(tenant_id=tenant_id_of(tenant) if tenant else None):
        shape = {
            "id": str(one.id), "status": one.status, "kind": one.kind, "amount": shown_amount(one.amount),
            "currency": one.currency, "reason": one.reason, "by": one.created_by, "decided_by": one.approved_by,
            "text": one.text,
        }  # fmt: skip
        show(shape, as_json, line=True)


@adjust_app.command("approve")
def approve_adjustment_command(adjustment: AdjustmentId, by: By, as_json: Json = False) -> None:
    """Book what another person asked for."""
    set_up("cli")
    from billing.facade import approve_adjustment

    with explained():
        approve_adjustment(adjustment, actor=by)
    show({"id": str(adjustment), "status": "approved"}, as_json)


@adjust_app.command("reject")
def reject_adjustment_command(adjustment: AdjustmentId, by: By, as_json: Json = False) -> None:
    """Leave it unbooked for good."""
    set_up("cli")
    from billing.facade import reject_adjustment

    with explained():
        reject_adjustment(adjustment, actor=by)
    show({"id": str(adjustment), "status": "rejected"}, as_json)


@invoice_app.command("credit")
def credit_command(
    statement: StatementId,
    amount: str,
    memo: Annotated[str, typer.Option(help="What the customer reads.")],
    reason: Reason,
    text: Text,
    by: By,
    as_json: Json = False,
) -> None:
    """Ask to give back a part of a pushed statement by a credit note; `adjust approve` has it done."""
    set_up("cli")
    from billing.stripe.facade import request_credit_note

    with explained():
        asked = request_credit_note(
            statement_id_of(statement), amount=money(amount), memo=memo, reason=reason, text=text, actor=by
        )
    show({"id": str(asked), "status": "requested"}, as_json)


@invoice_app.command("void")
def void_command(statement: StatementId, reason: Reason, text: Text, by: By, as_json: Json = False) -> None:
    """Ask that nobody has to pay a pushed statement any more; `adjust approve` has it done."""
    set_up("cli")
    from billing.stripe.facade import request_void

    with explained():
        asked = request_void(statement_id_of(statement), reason=reason, text=text, actor=by)
    show({"id": str(asked), "status": "requested"}, as_json)


@invoice_app.command("refund")
def refund_command(
    session: Annotated[str, typer.Argument(help="Stripe's checkout session of the top-up (cs_…).")],
    amount: str,
    reason: Reason,
    text: Text,
    by: By,
    as_json: Json = False,
) -> None:
    """Ask to send a top-up, or a part of it, back to where it came from; `adjust approve` has it done."""
    set_up("cli")
    from billing.stripe.facade import request_refund

    with explained():
        asked = request_refund(session, amount=money(amount), reason=reason, text=text, actor=by)
    show({"id": str(asked), "status": "requested"}, as_json)


def _rate(text: str) -> tuple[tuple[str, str], Decimal]:
    pair, _, number = text.partition("=")
    currency, _, into = pair.partition("/")
    rate = Decimal(number) if number.replace(".", "", 1).isdigit() else Decimal(0)
    if not into or rate <= 0:
        raise ValueError(f"{text!r} is not a rate. Write it like USD/KRW=1380.25")
    return (currency.upper(), into.upper()), rate
