"""Money and usage never pass through binary floating point; `make check` says so too, by the same definition."""

from __future__ import annotations

import pytest

from scripts import no_float


def test_billing_has_no_float(capsys: pytest.CaptureFixture[str]) -> None:
    assert (no_float.main(), capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(
    "source",
    ["x = 0.1", "x = 1j", "def f(x: float): ...", "x = float('1')", "s = 'SELECT 1::float8'",
     "s = 'x double precision'", "x = models.FloatField()", "x = taken.total_seconds()"],
)  # fmt: skip
def test_the_check_sees_a_float(source: str) -> None:
    assert no_float.floats_in(source) == [1]


def test_the_check_reads_every_file() -> None:
    names = {path.name for path in no_float.FOLDER.rglob("*.py")}
    assert {"rating.py", "settlement.py", "0001_initial.py", "amounts.py"} <= names
