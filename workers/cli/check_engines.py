"""`parlance engines check`: whether a provider lets us in."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from workers.app import set_up
from workers.cli.exits import Exit

Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Such as deepgram; without it, all that are set up.")
]


def check_command(
    name: Name = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Call each provider once, at no cost; exit code 1 when one refuses."""
    set_up("cli")
    from speech.facade import check_engines

    try:
        checks = check_engines(name)
    except LookupError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps({"object": "list", "data": [dataclasses.asdict(check) for check in checks]}))
    for check in () if as_json else checks:
        typer.echo(f"{'ok' if check.is_well else 'FAIL':4} {check.engine}: {check.detail}")
    if not checks and not as_json:
        typer.echo("No provider is set up; docs/engines.md says how.")
    raise typer.Exit(Exit.OK if all(check.is_well for check in checks) else Exit.FAILED)
