"""What the commands of `parlance billing` share: options, ids, money, and how an answer or an error is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

DIGITS = 9  # of an amount that is stored

Json = Annotated[bool, typer.Option("--json", help="Print lines of JSON.")]
By = Annotated[str, typer.Option("--by", "--as", help="Who does it (e-mail address); another person has to approve.")]
Month = Annotated[str, typer.Argument(help="A month, such as 2026-10.")]
TenantName = Annotated[str, typer.Argument(help="Name or id (ten_…) of the tenant.")]
StatementId = Annotated[str, typer.Argument(help="Id of the statement (stm_…).")]


@contextmanager
def explained() -> Iterator[None]:
    """What a user can get wrong is told in a sentence, without a trace."""
    from django.core.exceptions import ObjectDoesNotExist

    from billing.facade import BillingError

    try:
        yield
    except ObjectDoesNotExist:
        raise typer.BadParameter("there is nothing of that id or version") from None
    except (BillingError, ValueError, LookupError) as error:
        raise typer.BadParameter(str(error)) from None


def money(text: str) -> Decimal:
    """An amount, exact to nine digits."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not an amount. Write it like 12.50") from None
    digits = amount.as_tuple().exponent
    if not isinstance(digits, int) or -digits > DIGITS:
        raise typer.BadParameter(f"{text!r}: an amount has at most {DIGITS} decimals")
    return amount


def show(shape: dict[str, Any], as_json: bool, *, line: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps(shape, ensure_ascii=False))
    elif line:
        typer.echo("  ".join(str(value) for value in shape.values()))
    else:
        for name, value in shape.items():
            typer.echo(f"{name:9} {value}")


def month_of(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise typer.BadParameter("write a month like 2026-10") from None


def statement_id_of(shown: str) -> Any:
    from apikit import ids

    found = ids.parse(ids.STATEMENT, shown)
    if found is None:
        raise typer.BadParameter("a statement's id looks like stm_…")
    return found


def tenant_id_of(name_or_id: str) -> Any:
    from tenants.facade import find_tenant

    found = find_tenant(name_or_id)
    if found is None:
        raise typer.BadParameter("no tenant of that name or id, or several; `parlance tenant list` shows the ids")
    return found.id
