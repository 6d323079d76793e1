"""`parlance-cli`: transcribe, speak and usage from a shell. `pip install "parlance[cli]"`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from parlance import API_VERSION, Parlance, ParlanceError, __version__
from parlance import Progress as Told

if TYPE_CHECKING:
    from parlance import TranscriptionOptions, TranscriptionResult

try:
    import typer
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table
except ImportError:  # the extra is not installed
    sys.exit('parlance-cli needs more packages: pip install "parlance[cli]"')

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Speech to text and back, by a Parlance server.")
errors = Console(stderr=True)


class Form(str, Enum):
    """What `transcribe` writes."""

    text = "text"
    srt = "srt"
    vtt = "vtt"
    json = "json"


def make_client() -> Parlance:
    """By PARLANCE_API_KEY and PARLANCE_API_URL; tests put another one here."""
    return Parlance()


def _version(is_wished: bool) -> None:
    if is_wished:
        sys.stdout.write(f"parlance {__version__}, made from version {API_VERSION} of the API\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show both.")] = False,
) -> None:
    """Takes what stands before the command."""


@app.command()
def transcribe(
    recordings: Annotated[list[str], typer.Argument(help="Files or URLs.")],
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.text,
    language: Annotated[str | None, typer.Option(help="BCP 47 tag, such as en or ko-KR.")] = None,
    engine: Annotated[str | None, typer.Option(help="A wish; without one the best is taken.")] = None,
    diarize: Annotated[bool, typer.Option(help="Label who speaks.")] = False,
    into: Annotated[
        Path | None, typer.Option(help="A folder: one file for each recording, instead of printing.")
    ] = None,
) -> None:
    """Print the text of recordings, or their captions."""
    wishes: TranscriptionOptions = {"diarize": diarize}
    if language is not None:
        wishes["language"] = language
    if engine is not None:
        wishes["engine"] = engine
    with explained(), make_client() as client:
        for recording in recordings:
            with progress_of(recording) as told:
                result = client.transcribe(recording, on_progress=told, **wishes)
            write(
                shown(result, form), into, name=Path(recording).stem, suffix="txt" if form is Form.text else form.value
            )


@app.command()
def speak(
    text: Annotated[str, typer.Argument(help="What to say; `-` reads standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its ending is the format.")] = Path(
        "speech.mp3"
    ),
    voice: Annotated[str | None, typer.Option(help="One of GET /v1/voices.")] = None,
) -> None:
    """Write a text's audio to a file."""
    said = sys.stdin.read() if text == "-" else text
    body: dict[str, str] = {"format": output.suffix.lstrip(".") or "mp3"} | ({"voice": voice} if voice else {})
    with explained(), make_client() as client:
        audio = client.speak(said, to=output, **body)  # type: ignore[arg-type]  # a wrong format is told by the server
        errors.print(f"{output}: {audio.voice}, {audio.id}", highlight=False)


@app.command()
def usage(
    since: Annotated[str | None, typer.Option("--from", help="An RFC 3339 time; this month by default.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="An RFC 3339 time; now by default.")] = None,
    group: Annotated[str | None, typer.Option(help="hour or day.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name; decides where a day begins.")] = "UTC",
) -> None:
    """Show what was used, and its price."""
    with explained(), make_client() as client:
        found = client.usage.get(from_=since, to=until, group=group, time_zone=time_zone)
    table = Table("start", "meter", "engine", "mode", "quantity", "amount")
    for line in found.data:
        start = f"{line.start:%Y-%m-%d %H:%M}" if line.start else ""
        amount = f"{line.amount} {line.currency}"
        table.add_row(start, line.meter, line.engine, line.mode, f"{line.quantity:,}", amount)
    Console().print(table)
    for total in found.totals:
        Console().print(f"total {total.amount} {total.currency}", highlight=False)


def shown(result: TranscriptionResult, form: Form) -> str:
    """The result in this form."""
    if form is Form.srt:
        return result.to_srt()
    if form is Form.vtt:
        return result.to_vtt()
    return result.text if form is Form.text else result.transcription.model_dump_json(indent=2)


def write(text: str, into: Path | None, *, name: str, suffix: str) -> None:
    """To standard output, or to a file of a folder."""
    if into is None:
        sys.stdout.write(text.rstrip("\n") + "\n")
        return
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{name}.{suffix}").write_text(text, "utf-8")


@contextlib.contextmanager
def progress_of(recording: str) -> Iterator[Callable[[Told], None]]:
    """A bar on standard error, where a person sees it and a pipe does not."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bars:
        bar = bars.add_task(Path(recording).name, total=None)

        def told(progress: Told) -> None:
            bars.update(
                bar, description=f"{progress.phase} {Path(recording).name}", completed=progress.percent, total=100
            )

        yield told


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What goes wrong is a line and exit code 1, not a traceback."""
    try:
        yield
    except (ParlanceError, OSError) as error:
        errors.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        if isinstance(error, ParlanceError) and error.docs_url:
            errors.print(f"see {error.docs_url}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def main() -> None:
    """The command."""
    app()


if __name__ == "__main__":
    main()
