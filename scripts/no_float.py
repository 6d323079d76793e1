"""Money and usage never pass through binary floating point: name every line of `billing` that does.

A float literal, the name `float`, a float cast in SQL, a float field, or seconds as a float.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "platform" / "billing"
SQL = ("::float", "::real", "double precision")
ATTRIBUTES = frozenset({"FloatField", "total_seconds"})


def floats_in(source: str) -> list[int]:
    """The lines, counted from 1."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if _is_float(node)]  # type: ignore[attr-defined]  # those have


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.Constant(value=str() as text):
            return any(kind in text for kind in SQL)
        case ast.Name(id="float"):
            return True
        case ast.Attribute(attr=name):
            return name in ATTRIBUTES
    return False


def main() -> int:
    """1 when there is one."""
    found = [
        f"{path.relative_to(FOLDER.parents[1])}:{line}: no float where money is: use Decimal or whole units"
        for path in sorted(FOLDER.rglob("*.py"))
        for line in floats_in(path.read_text("utf-8"))
    ]
    sys.stdout.writelines(f"{one}\n" for one in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
