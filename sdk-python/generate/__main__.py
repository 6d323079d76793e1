"""Writes what of the SDK is made from openapi.json, or checks (`--check`) that the committed files are that."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import events
import models
import reference
import resources
from document import Document
from naming import snake
from text import HEADER
from unasync import sync

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "src" / "parlance"
MADE = ("_sync", "_async/resources", "_generated")  # everything below these folders comes from here
REFERENCE = "REFERENCE.md"


def sources(document: Document) -> dict[str, str]:
    """Every made file of the package by its path, not yet formatted."""
    tree = resources.tree(document)
    found = {
        "_generated/__init__.py": '"""Made from openapi.json by `make sdk`."""\n',
        "_generated/models.py": models.models(document, events.Told(document).sources),
        "_generated/params.py": models.params(document),
        "_generated/events.py": events.events(document),
        "_generated/version.py": HEADER.format(title="The API this was made from.")
        + f"API_VERSION = {document.version!r}\n",
        "_async/resources/__init__.py": resources.mixin(tree),
    }
    for path in tree:
        if len(path) == 1:
            found[f"_async/resources/{snake(path[0])}.py"] = resources.module(document, path[0], tree)
    written = {f"_async/{path.name}": path.read_text("utf-8") for path in (PACKAGE / "_async").glob("*.py")}
    for name, source in (written | {name: one for name, one in found.items() if name.startswith("_async/")}).items():
        found[name.replace("_async/", "_sync/")] = sync(source)
    return found


def formatted(found: dict[str, str]) -> dict[str, str]:
    """The same by the project's formatter: imports that are not used go, lines break where they should."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(PROJECT / "pyproject.toml", root)
        for name, source in found.items():
            (root / "src" / "parlance" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "src" / "parlance" / name).write_text(source, "utf-8")
        ruff = str(Path(sys.executable).with_name("ruff"))
        for command in (["check", "--fix-only", "--select", "F401,I,UP007,PYI", "-q"], ["format", "-q"]):
            subprocess.run([ruff, *command, "--no-cache", str(root / "src")], cwd=root, check=True)
        return {name: (root / "src" / "parlance" / name).read_text("utf-8") for name in found}


def main() -> int:
    """0 when written or equal."""
    document = Document(PROJECT.parent / "openapi.json")
    wanted = {PACKAGE / name: text for name, text in formatted(sources(document)).items()}
    wanted[PROJECT / REFERENCE] = reference.reference(document)
    there = {path for folder in MADE for path in (PACKAGE / folder).rglob("*.py")}
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    left = sorted(there - wanted.keys())
    if "--check" not in sys.argv:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        for path in left:
            path.unlink()
        return 0
    if not changed and not left:
        return 0
    names = ", ".join(str(path.relative_to(PROJECT)) for path in [*changed, *left][:5])
    sys.stderr.write(
        f"The Python SDK differs from openapi.json or its async source ({names}). Run `make sdk` and commit.\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
