"""The examples in docstrings, of the package and of its generator."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
MODULES = ["_bill", "_call", "_errors", "_retry", "_sources", "_sse", "_statement"]
GENERATOR = ["annotations", "naming", "text", "unasync"]


@pytest.mark.parametrize("name", MODULES)
def test_the_package_does_what_its_docstrings_say(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"parlance.{name}"))
    assert (found.failed, found.attempted > 0) == (0, True)


@pytest.mark.parametrize("name", GENERATOR)
def test_the_generator_does_what_its_docstrings_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "generate"))
    found = doctest.testmod(importlib.import_module(name))
    sys.modules.pop(name)
    assert (found.failed, found.attempted > 0) == (0, True)
