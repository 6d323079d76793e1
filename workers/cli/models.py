"""`parlance models`: Whisper's weights in the folder of the pool. Needs neither a running instance nor torch."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from workers.cli.exits import Exit
from workers.cli.options import HomeOption, JsonOption, home_of

TELL_EVERY_S: Final = 2.0
LONGEST_S: Final = 6 * 3600.0  # 3 GB over a slow line

app = typer.Typer(no_args_is_help=True, help="Bring and check the weights of the Whisper pool.")
Model = Annotated[str, typer.Argument(metavar="MODEL", help="tiny, base, small, medium, turbo, large-v2, large-v3.")]


@app.command("list")
def list_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The models there are, and which of them lie here."""
    from speech.engines.whisper_models import WEIGHTS, path_of

    folder = _folder(home)
    rows = [
        {
            "model": name,
            "megabytes": weights.megabytes,
            "here": path_of(folder, name).is_file(),
            "sha256": weights.sha256,
        }
        for name, weights in WEIGHTS.items()
    ]
    if as_json:
        typer.echo(json.dumps({"object": "list", "folder": str(folder), "data": rows}))
        return
    typer.echo(f"Weights in {folder}:")
    for row in rows:
        typer.echo(f"  {row['model']:9} {row['megabytes']:5} MB  {'here' if row['here'] else '-'}")


@app.command()
def pull(model: Model, home: HomeOption = None) -> None:
    """Download a model's weights once, and check them."""
    from egress.facade import Client, EgressError, operator
    from speech.engines.whisper_models import ORIGIN, WEIGHTS, path_of

    folder, weights = _folder(home), WEIGHTS[_known(model)]
    path = path_of(folder, model)
    if path.is_file() and _sha256(path) == weights.sha256:
        typer.echo(f"{path} is here already.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".downloading")
    try:
        with Client(operator({ORIGIN})) as client, _progress(folder, model, megabytes=weights.megabytes):
            got = client.download(
                weights.url, to=part, max_bytes=weights.megabytes * 2_000_000, total_timeout_s=LONGEST_S
            )
    except EgressError as error:
        typer.echo(
            f"{model} could not be downloaded from {ORIGIN} ({type(error).__name__}). Without that way out, "
            f"copy the file of {weights.url} to {path}, then: parlance models check {model}",
            err=True,
        )
        raise typer.Exit(Exit.FAILED) from None
    if got.sha256_hex != weights.sha256:
        part.unlink()
        typer.echo(f"What came is not {model}: its checksum is {got.sha256_hex}. Nothing was kept.", err=True)
        raise typer.Exit(Exit.FAILED)
    part.replace(path)
    typer.echo(f"{path} is here. Start again, and the pool serves it.")


@app.command()
def check(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Without it, all that lie here.")] = None,
    home: HomeOption = None,
) -> None:
    """Compare the weights here with the published checksums; exit code 1 when one differs or is missing."""
    from speech.engines.whisper_models import WEIGHTS, path_of, present

    folder = _folder(home)
    names = (_known(model),) if model else present(folder)
    if not names:
        typer.echo(f"No weights lie in {folder}. `parlance models pull base` brings some.")
    wrong = 0
    for name in names:
        path = path_of(folder, name)
        found = _sha256(path) if path.is_file() else None
        says = "is missing" if found is None else "is as published" if found == WEIGHTS[name].sha256 else "differs"
        wrong += found != WEIGHTS[name].sha256
        typer.echo(f"{'ok' if says == 'is as published' else 'FAIL':4} {name}: {path} {says}")
    raise typer.Exit(Exit.FAILED if wrong or not names else Exit.OK)


def _folder(home: Path | None) -> Path:
    return Path(os.environ.get("PARLANCE_WHISPER_DIR") or home_of(home).path / "models").absolute()


def _known(model: str) -> str:
    from speech.engines.whisper_models import WEIGHTS

    if model not in WEIGHTS:
        raise typer.BadParameter(f"there is no model {model}; models: {', '.join(WEIGHTS)}")
    return model


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _progress(folder: Path, model: str, *, megabytes: int) -> Iterator[None]:
    """Say every two seconds how much has come."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(TELL_EVERY_S):
            have = max((each.stat().st_size for each in folder.iterdir() if "downloading" in each.name), default=0)
            typer.echo(f"{model}: {have // 1_000_000} of {megabytes} MB", err=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
