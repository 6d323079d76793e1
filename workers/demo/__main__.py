"""`python -m workers.demo --receiver-fd N`: run by `parlance up` once everything is ready."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.output import Printer
from workers.demo.errors import DemoError
from workers.demo.journey import Stage, tell
from workers.demo.receiver import Receiver
from workers.embedded.home import Home


def demo(
    receiver_fd: Annotated[int, typer.Option(help="A listening socket that egress lets through.")],
    audio: Annotated[Path | None, typer.Option()] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show the journey from sound to price on the instance that the environment names."""
    printer = Printer(as_json=as_json)
    stage = Stage(Home(Path(os.environ["PARLANCE_HOME"])), os.environ["PARLANCE_PUBLIC_URL"], audio, printer)
    try:
        with Receiver(socket.socket(fileno=receiver_fd)) as receiver:
            tell(stage, receiver=receiver)
    except DemoError as error:
        text = f"The demo stopped at: {error.step}. {error.detail}. {error.todo}"
        printer.say(text, style="bad", event="demo.failed", step=error.step, detail=error.detail, todo=error.todo)
        sys.exit(1)
    except (KeyError, TypeError, ValueError) as error:
        text = f"The demo stopped: an answer of the API was not what it expects ({error!r}). Compare /openapi.json."
        printer.say(text, style="bad", event="demo.failed", detail=text)
        sys.exit(1)
    finally:
        printer.rest()


if __name__ == "__main__":
    typer.run(demo)
