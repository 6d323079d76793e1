"""`parlance user create EMAIL --role …`: a one-time link to the finance pages."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workers.app import set_up

app = typer.Typer(no_args_is_help=True, help="Invite people of finance.")


@app.callback()
def _group() -> None:
    """Invite people of finance."""


@app.command("create")
def create_command(
    email: str,
    role: Annotated[
        list[str], typer.Option(help="viewer, operator, approver, pricing_admin or auditor; repeat for several.")
    ],
    language: Annotated[str, typer.Option(help="en or ko; without it, what the browser asks for.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make or change a person. The link works once, for a day: it sets password and authenticator."""
    set_up("cli")
    from django.conf import settings

    from console.facade import invite

    if language not in ("", "en", "ko"):
        raise typer.BadParameter("the language is en or ko")
    try:
        path = invite(email, roles=role, language=language)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    url = f"{settings.PUBLIC_URL}{path}"
    typer.echo(json.dumps({"email": email, "roles": role, "url": url, "path": path}) if as_json else url)
