"""Whose window goes next: shares, weights of classes, and that a backlog's length changes nothing."""

import os
import subprocess
import sys

import pytest

from speech.whisper.turns import Turns


@pytest.mark.parametrize("backlog", [1, 1_000, 100_000])
def test_a_newcomer_goes_next_whatever_the_backlog(backlog):
    turns = Turns()
    turns.push(["a"] * backlog, tenant="A", interactive=False)
    for _ in range(min(50, backlog - 1)):
        turns.pop()
    turns.push(["b"], tenant="B", interactive=False)
    assert "b" in [turns.pop() for _ in range(min(2, len(turns)))]


def test_interactive_goes_first_and_batch_keeps_a_fifth():
    turns = Turns()
    turns.push(["i"] * 1000, tenant="A", interactive=True)
    turns.push(["b"] * 1000, tenant="B", interactive=False)
    taken = [turns.pop() for _ in range(500)]
    assert taken[0] == "i"
    assert taken.count("b") == pytest.approx(100, abs=3)


def test_an_idle_tenant_gains_no_credit():
    turns = Turns()
    turns.push(["b"], tenant="B", interactive=False)
    turns.pop()
    turns.push(["a"] * 300, tenant="A", interactive=False)
    for _ in range(100):
        turns.pop()
    turns.push(["b"] * 100, tenant="B", interactive=False)
    assert [turns.pop() for _ in range(100)].count("b") == pytest.approx(50, abs=1)


def test_parts_of_one_tenant_take_turns():
    turns = Turns()
    turns.push(list("xxx"), tenant="A", interactive=False)
    turns.push(list("yyy"), tenant="A", interactive=False)
    assert "".join(turns) == "xyxyxy"


def test_only_the_pools_process_imports_torch():
    """What web, worker and scheduler import of `speech` brings neither torch nor openai-whisper."""
    code = """
import sys
import speech.engines.whisper, speech.engines.whisper_models, speech.whisper.turns, speech.whisper.windows
import speech.whisper.fallback, speech.whisper.texts
sys.exit(", ".join(sorted({"torch", "whisper", "numba"} & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=path_only())
    assert done.stderr.strip() == ""


def path_only():
    return {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
