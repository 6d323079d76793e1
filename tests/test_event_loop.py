"""Nothing that runs on an event loop asks the database: one slow statement there would hold up every other request.

Django refuses it when it happens; the walk finds what no test happens to reach. It follows calls by name, through
modules, classes and `self`, from every `async def` to whatever touches a connection. What is handed to a kept thread
(`in_request_thread(work, …)`) is not called there, and so is not followed.
"""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections

ROOT = Path(__file__).parents[1]
SOURCES = {"platform": ROOT / "platform", "workers": ROOT}
DATABASE = {"django.db.connection", "django.db.connections", "django.db.transaction"}
OF_ROWS = {"objects", "refresh_from_db", "select_for_update", "bulk_create", "get_or_create"}
SWITCH = "DJANGO_ALLOW_ASYNC_UNSAFE"
OURS = ("platform", "workers", "deploy", "scripts", "benchmarks")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """What a module defines, and what its names mean."""

    name: str
    means: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)


def read(path: Path, *, root: Path) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    module = Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    for node in ast.walk(tree := ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            module.means |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            module.means |= {one.asname or one.name.partition(".")[0]: one.name for one in node.names}
    for node in tree.body:
        for inner in [node, *node.body] if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, Function):
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                module.functions[owner + inner.name] = inner
    return module


class Walk:
    """Calls from function to function, by name."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self._modules = modules
        self._known: dict[tuple[str, str], str | None] = {}

    def offences(self) -> Iterator[str]:
        for module in self._modules.values():
            for name, function in module.functions.items():
                for one in [function, *_nested(function)]:
                    if isinstance(one, ast.AsyncFunctionDef) and (why := self._why(module, name, one)):
                        yield f"{module.name}.{name} → {why}"

    def reaches(self, module_name: str, name: str) -> bool:
        """Whether a function comes to the database."""
        return self._of(module_name, name) is not None

    def _why(self, module: Module, name: str, function: Function) -> str | None:
        """How a function comes to the database; None when it does not, or only behind an `await` of its own."""
        nodes = list(_run_by(function))
        read_through = {id(node.iter) for node in nodes if isinstance(node, ast.For | ast.comprehension)}
        for node in nodes:
            if _touches(node, module):
                return f"line {getattr(node, 'lineno', 0)}"
            target = self._target(module, name, node.func) if isinstance(node, ast.Call) else None
            runs = target and (id(node) in read_through or not self._only_makes(*target))
            if target and runs and (why := self._of(*target)):
                return f"{target[0]}.{target[1]} → {why}"
        return None

    def _only_makes(self, module_name: str, name: str) -> bool:
        """Whether calling it runs nothing of it: a generator, unless a decorator makes something else of it."""
        function = self._modules[module_name].functions[name]
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _run_by(function))
        return yields and not function.decorator_list

    def _of(self, module_name: str, name: str) -> str | None:
        if (module_name, name) not in self._known:
            self._known[module_name, name] = None  # a circle ends here
            module = self._modules[module_name]
            function = module.functions[name]
            if not isinstance(function, ast.AsyncFunctionDef):  # that one is looked at for itself
                self._known[module_name, name] = self._why(module, name, function)
        return self._known[module_name, name]

    def _target(self, module: Module, name: str, called: ast.expr) -> tuple[str, str] | None:
        """The function that is called, as (module, name), as far as names tell."""
        match called:
            case ast.Name(id=one):
                return self._find(f"{module.name}.{one}") or self._find(module.means.get(one, ""))
            case ast.Attribute(value=ast.Name(id="self"), attr=method):
                return self._find(f"{module.name}.{name.partition('.')[0]}.{method}")
            case ast.Attribute(value=ast.Name(id=base), attr=one):
                return self._find(f"{module.means.get(base, f'{module.name}.{base}')}.{one}")
        return None

    def _find(self, dotted: str, *, depth: int = 0) -> tuple[str, str] | None:
        """A function or a class's constructor by its full name, through facades."""
        parts = dotted.split(".")
        for end in range(len(parts) - 1, 0, -1):
            module = self._modules.get(".".join(parts[:end]))
            if module is None:
                continue
            rest = ".".join(parts[end:])
            for name in (rest, f"{rest}.__init__"):
                if name in module.functions:
                    return module.name, name
            head, _, tail = rest.partition(".")
            if depth < 5 and (meant := module.means.get(head)):
                return self._find(f"{meant}.{tail}".rstrip("."), depth=depth + 1)
            return None
        return None


def _run_by(function: Function) -> Iterator[ast.AST]:
    """Everything that runs when the function does: not the bodies of functions that it only defines."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _nested(function: Function) -> Iterator[Function]:
    for node in ast.walk(function):
        if node is not function and isinstance(node, Function):
            yield node


def _touches(node: ast.AST, module: Module) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in OF_ROWS:
        return True
    return isinstance(node, ast.Name) and module.means.get(node.id) in DATABASE


def modules_of(sources: dict[str, Path]) -> dict[str, Module]:
    found = (
        read(path, root=root)
        for folder, root in sources.items()
        for path in (ROOT / folder).glob("**/*.py")
        if "migrations" not in path.parts
    )
    return {module.name: module for module in found}


def test_no_call_leads_from_an_event_loop_to_the_database() -> None:
    walk = Walk(modules_of(SOURCES))
    assert list(walk.offences()) == []
    # It does find its way: this one is called on a kept thread for that reason.
    assert walk.reaches("speech.delivering", "deliver")
    assert walk.reaches("speech.providers", "hearers")


@pytest.mark.parametrize("alias", ["default", "system", "owner", "finance"])
def test_the_backend_refuses_a_statement_on_an_event_loop(migrated: None, alias: str) -> None:
    connection = connections[alias]
    connection.ensure_connection()  # an open one too

    async def ask() -> None:
        connection.cursor()

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(ask())


def test_nobody_switches_that_off() -> None:
    files = [path for folder in OURS for path in (ROOT / folder).glob("**/*") if path.is_file()]
    named = [path for path in [*files, ROOT / "Makefile"] if SWITCH in path.read_text("utf-8", "replace")]
    assert (named, os.environ.get(SWITCH)) == ([], None)
