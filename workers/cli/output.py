"""What the user sees: colours and a spinner on a terminal, plain lines elsewhere, lines of JSON on request."""

import contextlib
import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status

STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "": ""}


class Printer:
    """Prints one thing in the way that was asked for."""

    def __init__(self, *, as_json: bool) -> None:
        """NO_COLOR and the kind of stdout are looked at here, once."""
        self.as_json = as_json
        # A locale that cannot write a path's letters must not end the program.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # replaced by tests
        self._console = Console(highlight=False, soft_wrap=True)
        self._status: Status | None = None

    def say(self, text: str, /, *, style: str = "", **facts: Any) -> None:
        """Print a line; with --json print the facts instead, and nothing when there are none."""
        self.rest()
        if not self.as_json:
            self._console.print(escape(text), style=STYLES[style] or None)
        elif facts:
            sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def busy(self, text: str) -> None:
        """Show on a terminal what is being waited for."""
        self.rest()
        if self._console.is_terminal and not self.as_json:
            self._status = self._console.status(escape(text), spinner="line")
            self._status.start()

    def rest(self) -> None:
        """Remove what `busy` shows."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def fail(self, text: str, *, code: str) -> None:
        """Print an error where errors belong."""
        self.rest()
        line = json.dumps({"error": code, "detail": text}, ensure_ascii=False) if self.as_json else text
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
