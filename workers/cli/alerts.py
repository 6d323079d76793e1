"""`parlance alerts …`: who is told by e-mail when a tenant's webhook endpoint fails."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from workers.app import set_up

app = typer.Typer(no_args_is_help=True, help="Who is told by e-mail when a webhook endpoint fails.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TenantName = Annotated[str, typer.Argument(help="Name or id (ten_…) of the tenant.")]


@app.command("set")
def set_command(
    tenant: TenantName,
    email: Annotated[list[str] | None, typer.Option(help="An address; repeat. None: nobody is told.")] = None,
    language: Annotated[str, typer.Option(help="Language of the e-mails: en or ko.")] = "en",
    as_json: Json = False,
) -> None:
    """Replace the addresses that are told."""
    set_up("cli")
    from webhooks.facade import AlertAddressWrong, set_alert_addresses

    tenant_id = _tenant_id(tenant)
    try:
        set_alert_addresses(tenant_id, addresses=email or [], language=language, actor="operator")
    except AlertAddressWrong as error:
        raise typer.BadParameter(str(error)) from None
    _print(tenant_id, as_json=as_json)


@app.command("show")
def show_command(tenant: TenantName, as_json: Json = False) -> None:
    """The addresses that are told, and whether a mail server is set."""
    set_up("cli")
    _print(_tenant_id(tenant), as_json=as_json)


def _tenant_id(name_or_id: str) -> Any:
    from tenants.facade import find_tenant

    found = find_tenant(name_or_id)
    if found is None:
        raise typer.BadParameter("no tenant of that name or id, or several; `parlance tenant list` shows the ids")
    return found.id


def _print(tenant_id: Any, *, as_json: bool) -> None:
    from django.conf import settings

    from webhooks.facade import alert_recipients

    people = [{"email": each.address, "language": each.language} for each in alert_recipients(tenant_id)]
    if as_json:
        shown = {"object": "alerts", "data": people, "mail_server": settings.SENDS_MAIL}
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for person in people:
        typer.echo(f"{person['language']}  {person['email']}")
    if not people:
        typer.echo("Nobody is told.")
    elif not settings.SENDS_MAIL:
        typer.echo("No mail server is set, so nothing is sent: set PARLANCE_EMAIL_URL and PARLANCE_EMAIL_FROM.")
