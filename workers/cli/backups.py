"""`parlance backup`, `restore` and `resume`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.exits import Exit, explained
from workers.cli.options import HomeOption, JsonOption, YesOption, home_of
from workers.cli.output import Printer
from workers.cli.running import adopt_environment

File = Annotated[Path, typer.Argument(help="The backup's file; its keys are in FILE.keys beside it.")]

_PENDING = """SELECT
 (SELECT count(*) FROM delivery WHERE state IN ('pending', 'sending')),
 (SELECT count(*) FROM outbox_event WHERE position IS NULL),
 (SELECT count(*) FROM job WHERE state IN ('queued', 'running') AND deleted_at IS NULL)"""


def backup(file: File, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Write everything into one file while it runs, and the keys into another; keep the two apart."""
    from workers.backup.saving import KEYS_ENDING, save

    printer, file = Printer(as_json=as_json), file.expanduser().absolute()
    with explained(printer):
        manifest = save(home_of(home), file, environ=os.environ, tell=printer.busy)
    text = f"Saved to {file}.\nIts keys are in {file}{KEYS_ENDING}: keep them somewhere else."
    printer.say(text, style="good", event="backup", file=str(file), **manifest)


def restore(file: File, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Make an empty home what the backup was, in quarantine: it reads, and does nothing before `parlance resume`."""
    from workers.backup.restoring import restore as restore_into

    printer, where = Printer(as_json=as_json), home_of(home)
    with explained(printer):
        manifest = restore_into(where, file.expanduser().absolute(), environ=os.environ, tell=printer.busy)
    text = (
        f"Restored the backup of {manifest['taken_at']} to {where.path}.\n"
        "It is in quarantine: start it with `parlance up --no-demo`, look, then end it with `parlance resume`."
    )
    printer.say(text, style="good", event="restored", home=str(where.path), **manifest)


def resume(home: HomeOption = None, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """End the quarantine of a restored system: it claims, sends and collects again."""
    printer = Printer(as_json=as_json)
    with explained(printer):
        adopt_environment(home_of(home), required=True)
    from workers.app import set_up

    set_up("cli")
    from dispatch.facade import quarantined_since
    from dispatch.facade import resume as end_quarantine

    since = quarantined_since(using="system")
    if since is None:
        printer.say("It is not in quarantine: nothing to resume.", event="resume", was_quarantined=False)
        return
    pending = _pending()
    printer.say(_told(pending))
    if not yes and (as_json or not typer.confirm("Resume?")):
        printer.fail("Say --yes to resume.", code="not_confirmed")
        raise typer.Exit(Exit.USAGE)
    end_quarantine()
    printer.say("Resumed.", style="good", event="resume", was_quarantined=True, **pending)


def _pending() -> dict[str, Any]:
    from django.db import connections

    with connections["system"].cursor() as cursor:
        cursor.execute(_PENDING)
        deliveries, events, jobs = cursor.fetchone()
    return {"deliveries": deliveries, "events": events, "jobs": jobs}


def _told(pending: dict[str, Any]) -> str:
    return (
        f"From now on: {pending['jobs']} jobs that had not ended run again, {pending['events']} events and "
        f"{pending['deliveries']} deliveries are sent (receivers know those they got by their webhook-id), invoices "
        "are compared with Stripe's before anything is pushed. Content erased since the backup is here again."
    )
