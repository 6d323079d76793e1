"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from workers.embedded.home import Home, default_home

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of this installation (PARLANCE_HOME; each has its own data)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print lines of JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def home_of(given: Path | None) -> Home:
    """Return the home that an option or the environment names."""
    return Home(given.expanduser().absolute() if given else default_home(os.environ))
