"""Exit codes, and the way from an error to one."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from workers.cli.output import Printer
from workers.embedded.errors import AlreadyRunning, HomeError, PortTaken


class Exit(IntEnum):
    """What a script can tell apart."""

    OK = 0
    FAILED = 1
    USAGE = 2  # also: the port that was asked for is taken
    NOT_RUNNING = 3
    ALREADY_RUNNING = 4


def _code(error: HomeError) -> Exit:
    if isinstance(error, AlreadyRunning):
        return Exit.ALREADY_RUNNING
    return Exit.USAGE if isinstance(error, PortTaken) else Exit.FAILED


@contextmanager
def explained(printer: Printer) -> Iterator[None]:
    """Turn what the user can put right into one line and an exit code."""
    try:
        yield
    except HomeError as error:
        printer.fail(str(error), code=type(error).__name__)
        raise typer.Exit(_code(error)) from error
    except KeyboardInterrupt as error:
        printer.rest()
        raise typer.Exit(130) from error
