"""`parlance secrets …`: upkeep of what encrypts secrets at rest."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workers.app import set_up

app = typer.Typer(no_args_is_help=True, help="Rotate the master key.")


@app.callback()
def secrets() -> None:
    """Upkeep of what encrypts secrets at rest."""


@app.command("rewrap")
def rewrap_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Wrap every tenant's data key with the newest master key; afterwards the old one may go.

    Add the new key to PARLANCE_MASTER_KEY first ("1:<old>,2:<new>") and restart. No secret itself is touched.
    """
    set_up("cli")
    from tenants.facade import rewrap_all

    changed = rewrap_all()
    typer.echo(json.dumps({"rewrapped": changed}) if as_json else f"{changed} data keys rewrapped")
