"""Money and usage never pass through binary floating point."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import billing

FILES = sorted(Path(billing.__file__).parent.rglob("*.py"))


def floats_in(source: str) -> list[int]:
    """Lines with a float literal, the name `float`, a float cast in SQL or a float field."""
    found = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        named = isinstance(node, ast.Name) and node.id == "float"
        sql = (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and any(kind in node.value for kind in ("::float", "::real", "double precision"))
        )
        field = isinstance(node, ast.Attribute) and node.attr in {"FloatField", "total_seconds"}
        if literal or named or sql or field:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_has_no_float(path: Path) -> None:
    assert floats_in(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    ["x = 0.1", "def f(x: float): ...", "x = float('1')", "s = 'SELECT 1::float8'", "s = 'x double precision'"],
)
def test_the_check_sees_a_float(source: str) -> None:
    assert floats_in(source) == [1]


def test_the_check_reads_every_file() -> None:
    assert {"rating.py", "settlement.py", "0001_initial.py"} <= {path.name for path in FILES}
