"""`parlance engines compare FOLDER`: every engine and model on your own recordings, as table, JSON and page."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from workers.app import set_up
from workers.cli.compare_page import page


def compare_command(
    folder: Annotated[Path, typer.Argument(help="Recordings with their texts beside them: a.wav and a.txt.")],
    language: Annotated[str, typer.Option(help="ISO 639 code of what is spoken, such as ko or en.")],
    engine: Annotated[
        list[str] | None, typer.Option(help="Only this engine; repeat. Default: all set up here.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with every text here.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do not store it for the quality policy.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure WER and CER (Korean by CER), latency and cost; the routing policy `quality` follows what is stored."""
    set_up("cli")
    from speech import facade as speech

    language = language.partition("-")[0].lower()
    try:
        clips = speech.clips_in(folder, language=language)
        who = speech.contenders(language=language, engines=engine or ())
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    results = _compared(clips, who, language=language, silent=as_json)
    if not dry_run:
        speech.store_comparison(results)
    rows = sorted((speech.comparison_row(result) for result in results), key=_by_error)
    if html is not None:
        html.write_text(page(rows, results, language=language), "utf-8")
    if as_json:
        typer.echo(json.dumps({"object": "comparison", "language": language, "data": rows}, ensure_ascii=False))
        return
    Console().print(_table(rows, language=language))
    typer.echo(("Not stored." if dry_run else "Stored for the policy `quality`.") + (f" Page: {html}" if html else ""))


def _compared(clips: Any, who: Any, *, language: str, silent: bool) -> list[Any]:
    from speech import facade as speech

    heard: dict[str, list[Any]] = defaultdict(list)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=silent) as progress:
        task = progress.add_task("", total=len(clips) * len(who))
        for contender, one in speech.compare(clips, who, language=language):
            heard[contender.name].append(one)
            progress.update(task, advance=1, description=f"{contender.name}: {one.clip.name}")
    speech.close_pools()
    return [speech.ComparisonResult(one, language, tuple(heard[one.name])) for one in who]


def _by_error(row: Any) -> tuple[bool, float]:
    worst = row[row["metric"]]
    return worst is None, float(worst or 0)


def _table(rows: list[Any], *, language: str) -> Table:
    table = Table("engine/model", "WER", "CER", "p50", "p95", "ms per s", "cost", "clips", title=f"In {language}")
    table.columns[0].overflow = "fold"
    for row in rows:
        failed = f" ({row['failed']} failed: {', '.join(row['failures'])})" if row["failed"] else ""
        cost = "-" if row["cost"] is None else f"{float(row['cost']):.4f} {row['cost_currency']}"
        name = f"{row['engine']}/{row['model']}" if row["model"] else row["engine"]
        table.add_row(
            name, _percent(row["wer"]), _percent(row["cer"]), _ms(row["latency_ms_p50"]), _ms(row["latency_ms_p95"]),
            row["ms_per_audio_s"] or "-", cost, f"{row['clips']}{failed}",
        )  # fmt: skip
    return table


def _percent(rate: str | None) -> str:
    return "-" if rate is None else f"{float(rate) * 100:.1f} %"


def _ms(value: int | None) -> str:
    return "-" if value is None else f"{value} ms"
