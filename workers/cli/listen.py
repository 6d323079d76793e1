"""`parlance listen`: a tenant's events at a local port during development."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from workers.cli.exits import Exit
from workers.cli.options import JsonOption
from workers.cli.output import Printer

if TYPE_CHECKING:
    from workers.cli.relay import Bookmark, Event, Source, Target

POLL_S = 0.5
T = TypeVar("T")


def listen(
    to: Annotated[str, typer.Option(help="Your receiver on this machine, such as http://127.0.0.1:3000/hooks.")],
    key: Annotated[
        str, typer.Option(envvar="PARLANCE_API_KEY", help="API key; in the variable `ps` does not show it.")
    ],
    url: Annotated[str, typer.Option(envvar="PARLANCE_API_URL", help="The API.")] = "http://127.0.0.1:8700",
    after: Annotated[int | None, typer.Option(min=0, help="Begin after this position; 0 is the oldest kept.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Forward events to a local port until Ctrl-C; the next time goes on where this one stopped."""
    # Late: they bring an HTTP client, which no other command needs at its start.
    from workers.cli.relay import Bookmark, Refused, Source, Target

    printer = Printer(as_json=as_json)
    bookmark = Bookmark.find(url=url, key=key, target=to, environ=os.environ)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        target = Target(to, secret=bookmark.secret)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from None
    try:
        source = Source(url, key=key)
        begin(source, bookmark=bookmark, after=after, printer=printer)
        greet(bookmark, url=url, to=to, printer=printer)
        while True:
            forward(source, target, bookmark=bookmark, printer=printer)
    except Refused as error:
        printer.fail(str(error), code=error.code)
        raise typer.Exit(Exit.FAILED) from None
    except KeyboardInterrupt:
        text = f"Stopped after position {bookmark.position}; the same command goes on from there."
        printer.say(text, event="listen.stopped", position=bookmark.position)


def begin(source: "Source", *, bookmark: "Bookmark", after: int | None, printer: Printer) -> None:
    """Take the position that was asked for, else the kept one, else now."""
    newest = patiently(source.newest, printer=printer)
    wanted = bookmark.position if after is None else after
    # A kept position beyond the newest is of an installation that was begun anew.
    bookmark.move(newest if wanted is None else min(wanted, newest))


def greet(bookmark: "Bookmark", *, url: str, to: str, printer: Printer) -> None:
    """Say what goes where, and what the receiver must know."""
    facts: dict[str, Any] = {"url": url, "to": to, "secret": bookmark.secret, "after": bookmark.position}
    printer.say(
        f"Forwarding events of {url} to {to}, after position {bookmark.position}.", event="listen.ready", **facts
    )
    if not printer.as_json:
        printer.say(f"They are signed with {bookmark.secret}. Ctrl-C ends it.")


def forward(source: "Source", target: "Target", *, bookmark: "Bookmark", printer: Printer) -> None:
    """Send the events that are there, or wait a moment for new ones."""
    events = patiently(lambda: source.after(bookmark.position or 0), printer=printer)
    for event in events:
        begun_s = time.monotonic()
        status = patiently(partial(target.post, event), printer=printer)
        # After the POST: when this is interrupted, the receiver gets the event twice rather than never.
        bookmark.move(event.position)
        tell(event, status=status, took_s=time.monotonic() - begun_s, printer=printer)
    if not events:
        time.sleep(POLL_S)


def tell(event: "Event", *, status: str, took_s: float, printer: Printer) -> None:
    """Print what the receiver said; answers other than 2xx are shown and not repeated."""
    style, took_ms = "good" if status.startswith("2") else "bad", round(took_s * 1000)
    facts: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "position": event.position,
        "status": status,
        "took_ms": took_ms,
    }
    printer.say(f"{status}  {event.type}  {event.id}  {took_ms} ms", style=style, event="listen.sent", **facts)


def patiently(call: Callable[[], T], *, printer: Printer) -> T:
    """Repeat a call until somebody answers; an outage is told once."""
    from workers.cli.relay import Away

    told = False
    while True:
        try:
            return call()
        except Away as away:
            if not told:
                sys.stderr.write(f"{away}\n")
            told = True
            time.sleep(away.wait_s)
