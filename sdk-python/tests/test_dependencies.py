"""The package works with nothing installed but what it declares."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PROGRAM = """
import sys
import parlance, parlance.webhooks, parlance.testing
from parlance import AsyncParlance
fake = parlance.testing.FakeParlance()
print(fake.client().transcribe(b"x").text)
assert not {"cryptography", "typer", "rich", "django"} & sys.modules.keys()
"""


def declared() -> list[str]:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    block = text.split("dependencies = [", 1)[1].split("]", 1)[0]
    return [re.match(r"[\w.-]+", one)[0] for one in re.findall(r'"([^"]+)"', block)]  # type: ignore[index]


def closure(names: list[str]) -> set[str]:
    """These distributions and all that they need on this Python, without extras."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += [re.match(r"[\w.-]+", one)[0] for one in requires(name) or () if ";" not in one]  # type: ignore[index]
    return found


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with just those packages."""
    for name in closure(declared()):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top != ".." and not (tmp_path / top).exists():
                (tmp_path / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return tmp_path


def test_it_runs_with_its_declared_dependencies_alone(packages: Path) -> None:
    environ = {"PYTHONPATH": f"{PROJECT / 'src'}:{packages}"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("simulated speech\n", "")


def test_the_command_says_what_it_lacks(packages: Path) -> None:
    environ = {"PYTHONPATH": f"{PROJECT / 'src'}:{packages}"}
    command = [sys.executable, "-S", "-m", "parlance.cli"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert 'pip install "parlance[cli]"' in done.stderr
