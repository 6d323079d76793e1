"""A customer's program is clean for mypy strict and pyright strict, and a wrong one is not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WRONG = """
from parlance import Parlance
Parlance().transcribe("a.wav", task="sing")
Parlance().transcriptions.get("trn_1").text.upper()
Parlance().transcribe("a.wav").words[0].loudness
"""
PYRIGHT = Path(sys.executable).with_name("basedpyright")  # pyright with its own node: it needs no download


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs outside of the project, which sees the package as a customer does: one of them is the README."""
    made = tmp_path_factory.mktemp("customer")
    shutil.copy(TESTS / "typed_program.py", made / "right.py")
    readme = (TESTS.parent / "README.md").read_text("utf-8")
    (made / "readme.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL)), "utf-8")
    (made / "wrong.py").write_text(WRONG, "utf-8")
    package = str(TESTS.parent / "src")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.10", "extraPaths": [package]}
    (made / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    return made


def _lines_with_errors(output: str, name: str) -> set[int]:
    return {int(line.split(":")[1]) for line in output.splitlines() if f"{name}:" in line and "error" in line}


def test_mypy_strict(folder: Path) -> None:
    cache = TESTS.parent / ".mypy_cache"
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--cache-dir", str(cache)]
    environ = {"MYPYPATH": str(TESTS.parent / "src")}
    done = subprocess.run(
        [*command, "right.py", "readme.py", "wrong.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert _lines_with_errors(done.stdout, "wrong.py") == {3, 4, 5}, done.stdout
    assert "right.py" not in done.stdout, done.stdout
    assert "readme.py" not in done.stdout, done.stdout


def test_pyright_strict(folder: Path) -> None:
    command = [str(PYRIGHT), "-p", ".", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)["generalDiagnostics"]
    errors = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in told if one["severity"] == "error"}
    assert {("wrong.py", 3), ("wrong.py", 4), ("wrong.py", 5)} <= errors
    assert {name for name, _ in errors} == {"wrong.py"}, told
