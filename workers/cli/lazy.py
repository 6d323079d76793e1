"""Commands of other packages, imported only when they are called: they bring Django."""

import importlib
import os
from dataclasses import dataclass

import typer

from workers.cli.exits import explained
from workers.cli.output import Printer
from workers.cli.running import adopt_environment
from workers.embedded.home import Home, default_home


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a command lives and what `parlance --help` says about it."""

    module: str
    attribute: str
    summary: str


ELSEWHERE = {
    "tenant": Elsewhere("workers.cli.tenants", "tenant_app", "Create and list tenants, set their policies."),
    "key": Elsewhere("workers.cli.tenants", "key_app", "Create and revoke API keys."),
    "operator": Elsewhere("workers.cli.operators", "app", "Create, list and revoke keys for /v1/admin/."),
    "engines": Elsewhere("workers.cli.engines", "app", "See and change the catalogue of models, compare engines."),
    "secrets": Elsewhere("workers.cli.secrets", "app", "Rotate the master key."),
    "billing": Elsewhere("workers.cli.billing", "app", "Check the ledger, close months, statements, price books."),
    "user": Elsewhere("workers.cli.users", "app", "Invite people of finance."),
    "alerts": Elsewhere("workers.cli.alerts", "app", "Choose who is told when a webhook endpoint fails."),
    "dead-letters": Elsewhere("workers.cli.dead_letters", "app", "See and replay work that failed for good."),
}


def call_elsewhere(name: str, *, arguments: list[str]) -> None:
    """Run a command of another package with the environment of the instance that runs in PARLANCE_HOME."""
    if arguments and "--help" not in arguments:
        with explained(Printer(as_json="--json" in arguments)):
            adopt_environment(Home(default_home(os.environ)), required=True)
    command = ELSEWHERE[name]
    app: typer.Typer = getattr(importlib.import_module(command.module), command.attribute)
    app(arguments, prog_name=f"parlance {name}")
