"""The `parlance` command. Importing it must stay quick: neither Django nor torch, nor a server's library."""

import dataclasses
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.backups import backup, restore, resume
from workers.cli.exits import Exit, explained
from workers.cli.lazy import ELSEWHERE, call_elsewhere
from workers.cli.listen import listen
from workers.cli.models import app as models
from workers.cli.options import HomeOption, JsonOption, YesOption, home_of
from workers.cli.output import Printer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a trace with local variables would show secrets
    help="The speech API you own.",
)


@app.command()
def up(
    home: HomeOption = None,
    port: Annotated[int | None, typer.Option(help="Port of the API (PARLANCE_PORT; 8700).")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready; it runs on.")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Only serve.")] = False,
    audio: Annotated[Path | None, typer.Option(help="Transcribe this file in the demo.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Start everything, show a demo, and serve until Ctrl-C."""
    from workers.cli.up import UpOptions, run_foreground, wanted_port

    if audio is not None and (detach or no_demo):
        raise typer.BadParameter("--audio is for the demo, which --detach and --no-demo leave out")
    if audio is not None and not audio.is_file():
        raise typer.BadParameter(f"{audio} is not a file", param_hint="--audio")
    path = audio.absolute() if audio else None
    options = UpOptions(home_of(home), wanted_port(port), not (no_demo or detach), path, as_json)
    printer = Printer(as_json=as_json)
    with explained(printer):
        if detach:
            from workers.cli.detached import up_detached

            raise typer.Exit(up_detached(options, printer=printer))
        raise typer.Exit(run_foreground(options, printer=printer))


@app.command()
def down(
    home: HomeOption = None,
    now: Annotated[bool, typer.Option("--now", help="Do not let work in progress finish.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop it and wait until everything is gone; the data stays."""
    from workers.cli.detached import stop

    printer, where = Printer(as_json=as_json), home_of(home)
    with explained(printer):
        if stop(where, at_once=now, printer=printer):
            printer.say(f"Stopped. The data stays in {where.path}.", event="down", was_running=True)
        else:
            printer.say(f"Parlance is not running in {where.path}.", event="down", was_running=False)


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what runs; exit code 0 when ready, 1 when running but not ready, 3 when not running."""
    from workers.cli.report import look, show

    printer = Printer(as_json=as_json)
    with explained(printer):
        found = look(home_of(home))
        show(found, printer=printer)
    code = Exit.OK if found["ready"] else Exit.FAILED if found["running"] else Exit.NOT_RUNNING
    raise typer.Exit(code)


@app.command()
def reset(home: HomeOption = None, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Stop it and delete all its data, after asking."""
    from workers.cli.detached import stop
    from workers.embedded.home import HomeLock

    printer, where = Printer(as_json=as_json), home_of(home)
    if not yes:
        if as_json or not sys.stdin.isatty():
            printer.fail(f"Say --yes to delete all data in {where.path}.", code="not_confirmed")
            raise typer.Exit(Exit.USAGE)
        typer.confirm(f"Delete all data in {where.path}, including keys and results?", abort=True)
    with explained(printer):
        stop(where, at_once=True, printer=printer)
        if where.path.exists():
            lock = HomeLock.take(where)
            where.delete()
            lock.release()
        printer.say(f"Deleted the data in {where.path}.", event="reset", home=str(where.path))


@app.command()
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check this machine and, when it runs, the database's walls; exit code 1 when something fails."""
    from workers.cli.checks import run_checks

    printer = Printer(as_json=as_json)
    with explained(printer):
        checks = run_checks(home_of(home), environ=os.environ)
    for check in checks:
        style = {"ok": "good", "warn": "warn", "fail": "bad"}[check.level]
        todo = f"\n     {check.todo}" if check.todo else ""
        printer.say(f"{check.level:<4} {check.name}: {check.found}{todo}", style=style, **dataclasses.asdict(check))
    raise typer.Exit(Exit.FAILED if any(check.level == "fail" for check in checks) else Exit.OK)


def _run_process(module: str) -> None:
    from workers.cli.running import adopt_environment

    adopt_environment(home_of(None), required=False)
    raise typer.Exit(importlib.import_module(module).main() or Exit.OK)


@app.command()
def web() -> None:
    """Run the API (a process of the image and the chart)."""
    _run_process("workers.web")


@app.command()
def worker() -> None:
    """Run a worker (a process of the image and the chart)."""
    _run_process("workers.worker")


@app.command()
def pool() -> None:
    """Run a Whisper pool (a process of the GPU image); PARLANCE_POOL_MODEL says which model."""
    _run_process("workers.pool")


@app.command()
def scheduler() -> None:
    """Run the scheduler (a process of the image and the chart)."""
    _run_process("workers.scheduler")


@app.command()
def migrate() -> None:
    """Bring the database to this version (a job of the chart)."""
    _run_process("workers.migrate")


@app.command()
def probe(url: Annotated[str, typer.Argument(help="Address of the API, such as http://parlance-web:8700.")]) -> None:
    """Ask a server whether it is ready; exit code 1 when it is not (the chart's `helm test`)."""
    from workers.cli.running import is_green

    ready = is_green(url.rstrip("/"))
    Printer(as_json=False).say(f"{url} is {'ready' if ready else 'not ready'}.", event="probe", ready=ready)
    raise typer.Exit(Exit.OK if ready else Exit.FAILED)


for _command in (listen, backup, restore, resume):
    app.command()(_command)
app.add_typer(models, name="models")


def _register_elsewhere(name: str) -> None:
    def command(context: typer.Context) -> None:
        call_elsewhere(name, arguments=context.args)

    # Everything after the name belongs to the other package, --help too.
    passing = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(name, help=ELSEWHERE[name].summary, context_settings=passing)(command)


for _name in ELSEWHERE:
    _register_elsewhere(_name)


def main() -> None:
    """Run `parlance`."""
    app(prog_name="parlance")
