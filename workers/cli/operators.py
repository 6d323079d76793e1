"""`parlance operator …`: keys for `/v1/admin/`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from workers.app import set_up

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke keys for /v1/admin/.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(help="Whose key it is: a person, or a system such as billing.")],
    ip: Annotated[list[str] | None, typer.Option(help="An allowed address or network; repeat.")] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    as_json: Json = False,
) -> None:
    """Create an operator's key. It is shown this once, and opens /v1/admin/ and nothing else."""
    set_up("cli")
    from tenants.facade import create_operator_key

    expires = datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    try:
        made = create_operator_key(name, ip_allow=ip or (), expires_at=expires)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    shown = {"id": _shown_id(made.id), "name": name, "operator_key": made.secret, "expires_at": _moment(expires)}
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for field, value in shown.items():
        typer.echo(f"{field:13} {value}")


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """All of them, revoked ones too, oldest first."""
    set_up("cli")
    from tenants.facade import operator_keys

    rows = [_row(key) for key in operator_keys()]
    if as_json:
        typer.echo(json.dumps({"object": "list", "data": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['status']:8} {row['hint']}  {row['name']}")


@app.command("revoke")
def revoke_command(key: Annotated[str, typer.Argument(help="Id of the key (opr_…).")]) -> None:
    """Revoke an operator's key at once."""
    set_up("cli")
    from apikit import ids
    from tenants.facade import revoke_operator_key

    key_id = ids.parse(ids.OPERATOR_KEY, key)
    if key_id is None:
        raise typer.BadParameter("an operator's key id looks like opr_…; `parlance operator list` shows them")
    if not revoke_operator_key(key_id):
        raise typer.BadParameter("there is no living key of that id")
    typer.echo("revoked")


def _row(key: Any) -> dict[str, Any]:
    ended = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    return {
        "id": _shown_id(key.id),
        "name": key.name,
        "hint": key.hint,
        "status": "revoked" if key.revoked_at else "expired" if ended else "active",
        "ip_allow": key.ip_allow,
        "created": _moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "last_used_at": _moment(key.last_used_at),
    }


def _shown_id(key_id: Any) -> str:
    from apikit import ids

    return ids.show(ids.OPERATOR_KEY, key_id)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
