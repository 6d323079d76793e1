"""What import contracts cannot see: that neighbours are entered through their facade only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PLATFORM = Path(__file__).parents[1] / "platform"
APPS = {"speech", "billing", "webhooks", "tenants", "dispatch", "events", "egress", "storage"}
# `config` puts walls together; the ENGINE setting names the backend; `apps` are Django's own.
ALSO_FOR_CONFIG = {"walls"}
# An app within an app has a door of its own; its settings are read before Django is there, as those of libraries are.
INNER_APPS = {"billing.stripe": {"settings"}}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _offences(path: Path, *, package: str) -> Iterator[str]:
    for imported in _imports(path):
        owner, _, rest = imported.partition(".")
        inner = next((one for one in INNER_APPS if imported.startswith(f"{one}.")), None)
        door = (imported.removeprefix(f"{inner}.") if inner else rest).partition(".")[0]
        for_config = ALSO_FOR_CONFIG | (INNER_APPS[inner] if inner else set())
        allowed = {"facade"} | (for_config if package == "config" else set())
        if owner in APPS and owner != package and door not in allowed:
            yield f"{path.relative_to(PLATFORM)} imports {imported}"


def test_every_neighbour_is_entered_through_its_facade() -> None:
    offences = [
        offence
        for path in sorted(PLATFORM.glob("*/**/*.py"))
        for offence in _offences(path, package=path.relative_to(PLATFORM).parts[0])
    ]
    assert offences == []
