"""`parlance engines …`: the catalogue of models, and what was measured of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from workers.app import set_up
from workers.cli.check_engines import check_command
from workers.cli.compare import compare_command

app = typer.Typer(no_args_is_help=True, help="See and change the catalogue of models, compare engines.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelName = Annotated[str, typer.Argument(metavar="ENGINE/MODEL", help="Such as deepgram/nova-3.")]
Day = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A day, or `none`.")]
Text = Annotated[str | None, typer.Option(help="A model to ask for instead, such as openai/gpt-transcribe, or `none`.")]
Words = Annotated[str | None, typer.Option(help="With commas; `none` for what the engine itself declares.")]
Costs = Annotated[
    str | None,
    typer.Option(help="For each million, such as characters=16 or input_tokens=6,output_tokens=10; `none` for none."),
]


@app.command("list")
def list_command(
    every: Annotated[bool, typer.Option("--all", help="Also of engines that are not set up here.")] = False,
    as_json: Json = False,
) -> None:
    """The models with their dates, limits and costs."""
    set_up("cli")
    from speech.facade import catalogue_rows

    rows = catalogue_rows(every=every)
    if as_json:
        typer.echo(json.dumps({"object": "list", "data": rows}, ensure_ascii=False))
        return
    columns = {"model": "id", "deprecated": "deprecated", "shut down": "shutdown", "use instead": "replacement",
               "languages": "languages", "regions": "regions", "cost an hour": "cost_per_hour",
               "cost a million": "cost_per_million"}  # fmt: skip
    table = Table(*columns)
    for row in rows:
        style = "dim" if row["is_over"] else "yellow" if row["shutdown"] else ""
        table.add_row(*(_cell(row[name]) for name in columns.values()), style=style)
    Console().print(table)


@app.command("set")
def set_command(
    model: ModelName,
    since: Day = None,
    deprecated: Day = None,
    shutdown: Day = None,
    replacement: Text = None,
    languages: Words = None,
    regions: Words = None,
    max_part_minutes: Annotated[int | None, typer.Option(min=1, help="The longest part it takes.")] = None,
    cost_per_hour: Annotated[str | None, typer.Option(help="What the provider asks, such as 0.21, or `none`.")] = None,
    cost_per_million: Costs = None,
    cost_currency: Annotated[str | None, typer.Option(help="ISO 4217.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take every change back.")] = False,
    as_json: Json = False,
) -> None:
    """Change what is known of a model (in force within half a minute)."""
    set_up("cli")
    if reset:
        from speech.facade import reset_model

        typer.echo("reset" if reset_model(model) else "there was nothing to take back")
        return
    facts = _facts(since, deprecated, shutdown, replacement, languages, regions, max_part_minutes, cost_per_hour,
                   cost_per_million, cost_currency)  # fmt: skip
    _save(model, facts, adding=False, as_json=as_json)


@app.command("add")
def add_command(
    model: ModelName,
    since: Day = None,
    deprecated: Day = None,
    shutdown: Day = None,
    replacement: Text = None,
    languages: Words = None,
    regions: Words = None,
    max_part_minutes: Annotated[int | None, typer.Option(min=1, help="The longest part it takes.")] = None,
    cost_per_hour: Annotated[str | None, typer.Option(help="What the provider asks, such as 0.21.")] = None,
    cost_per_million: Costs = None,
    cost_currency: Annotated[str | None, typer.Option(help="ISO 4217.")] = None,
    as_json: Json = False,
) -> None:
    """Add a model that its provider offers and this version does not know yet."""
    set_up("cli")
    facts = _facts(since, deprecated, shutdown, replacement, languages, regions, max_part_minutes, cost_per_hour,
                   cost_per_million, cost_currency)  # fmt: skip
    _save(model, facts or {"since": date.today().isoformat()}, adding=True, as_json=as_json)  # noqa: DTZ011  # a day


app.command("compare")(compare_command)
app.command("check")(check_command)


def _save(model: str, facts: Mapping[str, Any], *, adding: bool, as_json: bool) -> None:
    from speech.facade import set_model

    if not facts:
        raise typer.BadParameter("say what is to change; `parlance engines list` shows what is known")
    try:
        changed = set_model(model, facts, adding=adding)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps(changed, ensure_ascii=False))
        return
    for name, value in changed.items():
        typer.echo(f"{name:14} {_cell(value)}")


def _facts(
    since: str | None,
    deprecated: str | None,
    shutdown: str | None,
    replacement: str | None,
    languages: str | None,
    regions: str | None,
    max_part_minutes: int | None,
    cost_per_hour: str | None,
    cost_per_million: str | None,
    cost_currency: str | None,
) -> dict[str, Any]:
    """The facts that were told; `none` takes one away."""
    told = {"since": since, "deprecated": deprecated, "shutdown": shutdown, "replacement": replacement,
            "cost_per_hour": cost_per_hour, "cost_currency": cost_currency and cost_currency.upper()}  # fmt: skip
    facts: dict[str, Any] = {name: None if text == "none" else text for name, text in told.items() if text is not None}
    if languages is not None:
        facts["languages"] = None if languages == "none" else _words(languages)
    if regions is not None:
        facts["regions"] = [] if regions == "none" else _words(regions)
    if cost_per_million is not None:
        facts["cost_per_million"] = {} if cost_per_million == "none" else _rates(cost_per_million)
    if max_part_minutes is not None:
        facts["max_part_ms"] = max_part_minutes * 60_000
    return facts


def _rates(text: str) -> dict[str, str]:
    return {unit: rate for unit, _, rate in (word.partition("=") for word in _words(text))}


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]


def _cell(value: Any) -> str:
    if value is None or value == [] or value == () or value == {}:
        return "-"
    if isinstance(value, dict):
        value = [f"{name}={one}" for name, one in value.items()]
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
