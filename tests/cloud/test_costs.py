"""What a provider's call costs the operator: by its own units and its model's list price, well or badly answered."""

from __future__ import annotations

import doctest
from decimal import Decimal
from typing import Any

import pytest

from speech import booking, catalogue
from speech.catalogue import EngineModel, edited, shown
from speech.catalogue_seeds import SEEDS
from speech.engines.ports import ReportedUnits
from tests.cloud.conftest import CloudJob, Hands
from tests.cloud.test_providers import Use, heard_by, use
from tests.dispatch.conftest import sql
from tests.fakes.hearing import said_in

__all__ = ["use"]  # a fixture
MS = 2_000


@pytest.mark.parametrize("module", [booking, catalogue])
def test_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def amounts(job: CloudJob) -> dict[tuple[int, str], tuple[str, int, Decimal, str]]:
    """Model, quantity, amount and currency of a job's costs, by call and unit."""
    rows = sql(
        """SELECT sequence, meter, model, raw_quantity, amount, currency FROM usage_entry
         WHERE subject_id = %s AND kind = 'cost'""",
        [job.id],
    )
    return {(row[0], row[1]): row[2:] for row in rows}


@pytest.mark.parametrize(
    ("name", "model", "per_hour"),
    [("assemblyai", "universal-2", "0.15"), ("openai", "gpt-transcribe", "0.27"), ("openai", "whisper-1", "0.36")],
)
def test_a_model_that_is_paid_by_time_costs_its_own_price(
    hands: Hands, use: Use, name: str, model: str, per_hour: str
) -> None:
    use(name)
    job = heard_by(hands, name)
    job.ask(model=model)
    hands.finish(job)

    told = amounts(job)[1, "audio_ms"]
    assert told == (model, MS, (Decimal(per_hour) * MS / 3_600_000).quantize(Decimal("1e-9")), "USD")


def test_a_model_that_is_paid_by_tokens_costs_its_tokens(hands: Hands, use: Use) -> None:
    use("openai")
    job = heard_by(hands, "openai")
    job.ask(model="gpt-4o-transcribe")
    hands.finish(job)

    found = amounts(job)
    assert found[1, "input_tokens"][1:] == (MS // 100, Decimal(6 * MS // 100) / 1_000_000, "USD")
    assert found[1, "output_tokens"][1:3] == (len(said_in(MS)), Decimal(10 * len(said_in(MS))) / 1_000_000)
    assert found[1, "audio_ms"][1:] == (MS, Decimal(0), "XXX")  # kept, and costs nothing beside


def test_a_price_that_nobody_knows_keeps_the_units(hands: Hands, use: Use) -> None:
    use("deepgram")
    job = heard_by(hands, "deepgram")
    hands.finish(job)
    assert amounts(job)[1, "audio_ms"] == ("nova-3", MS, Decimal(0), "XXX")


@pytest.mark.parametrize("fault", ["html", "half_body"])
def test_a_call_that_was_answered_and_brought_nothing_costs_all_the_same(hands: Hands, use: Use, fault: str) -> None:
    use("openai").faults.append(fault)
    job = heard_by(hands, "openai")
    hands.finish(job)

    assert [outcome for _, outcome, _ in job.attempts()][1:] == ["done"]
    found = {call: told[1:3] for (call, unit), told in amounts(job).items() if unit == "audio_ms"}
    assert found == {1: (MS, Decimal("0.000150000")), 2: (MS, Decimal("0.000150000"))}
    assert [entry[2] for entry in job.entries("usage")] == [MS]  # one bill


def test_a_call_that_was_refused_costs_nothing(hands: Hands, use: Use) -> None:
    use("openai").faults.append("not_let_in")
    job = heard_by(hands, "openai", "simulated")
    hands.finish(job)
    assert amounts(job) == {}


def test_voices_cost_by_their_characters_or_their_length() -> None:
    def cost(engine: str, model: str, unit: str, quantity: int) -> Decimal | None:
        [line] = booking.cost_lines([ReportedUnits(unit, quantity)], engine=engine, model=model, known=SEEDS)
        return line.amount

    assert cost("polly", "neural", "characters", 1_000_000) == 16
    assert cost("polly-long-form", "long-form", "characters", 10) == Decimal("0.001")
    assert cost("openai", "gpt-4o-mini-tts", "audio_ms", 60_000) == Decimal("0.015")
    assert cost("openai-tts-1", "tts-1", "characters", 1_000_000) == 15
    assert cost("azure", "neural", "characters", 10) is None


def test_an_operator_says_what_a_million_costs() -> None:
    model = edited(EngineModel("azure", "neural"), {"cost_per_million": {"characters": "16"}})
    assert shown(model)["cost_per_million"] == {"characters": "16"}
    assert model.asked_for("characters", 500) == Decimal("0.008")
    for wrong in ({"words": "1"}, {"characters": "cheap"}):
        with pytest.raises(ValueError, match=r"providers count|decimal number"):
            edited(model, {"cost_per_million": wrong})
