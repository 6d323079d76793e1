"""`parlance dead-letters …`: work that failed for good, and running it again."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

import typer

from workers.app import set_up

app = typer.Typer(no_args_is_help=True, help="See and replay work that failed for good.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("list")
def list_command(
    replayed: Annotated[bool, typer.Option("--all", help="Those already replayed too.")] = False, as_json: Json = False
) -> None:
    """The newest first; no content is kept in them."""
    set_up("cli")
    from apikit import ids
    from dispatch.facade import list_dead_letters

    rows = [
        {
            "id": str(letter.id), "job": ids.show(ids.TRANSCRIPTION, letter.job_id), "queue": letter.queue,
            "step": letter.step, "attempts": str(letter.attempts), "error": letter.error_code,
            "at": letter.created_at.isoformat(),
        }
        for letter in list_dead_letters(replayed=replayed)
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"object": "list", "data": rows}))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['at'][:19]}  {row['queue']:32} {row['step']:11} {row['error']}  {row['job']}")
    if not rows:
        typer.echo("No dead letters.")


@app.command("replay")
def replay_command(
    letter: Annotated[UUID, typer.Argument(help="Id of the dead letter.")], as_json: Json = False
) -> None:
    """Open the failed job again; what had been heard is kept."""
    set_up("cli")
    from apikit import ids
    from speech.facade import replay

    job_id = replay(letter)
    if job_id is None:
        raise typer.BadParameter("unknown, replayed already, or its job is gone or did not fail")
    shown = ids.show(ids.TRANSCRIPTION, job_id)
    typer.echo(json.dumps({"job": shown}) if as_json else f"{shown} runs again")
