"""Scaling on backlog audio seconds against scaling on messages: simulated bursts of 3-second and 3-hour recordings.

The wished time to drain is ten minutes; the count rule is tuned once for each kind of recording and for their mean.
"""

from __future__ import annotations

from typing import Any

from benchmarks.autoscale_model import START_S, Burst, by_audio, by_messages, simulate
from benchmarks.common import run

DRAIN_S = 600.0
LENGTHS_S = {"three_seconds": 3.0, "three_hours": 10_800.0}
BURSTS = {
    "short": Burst([3.0] * 30_000),
    "long": Burst([10_800.0] * 60),
    "mixed": Burst(([3.0] * 100 + [10_800.0]) * 30),
}
USUAL_S = LENGTHS_S | {"mean_of_the_mix": sum(BURSTS["mixed"].lengths_s) / len(BURSTS["mixed"].lengths_s)}


def drains_s() -> dict[str, dict[str, float]]:
    """By rule and burst: how long it took."""
    rules = {"audio": by_audio(drain_s=DRAIN_S)}
    rules |= {f"messages_tuned_to_{name}": by_messages(drain_s=DRAIN_S, usual_s=one) for name, one in USUAL_S.items()}
    return {
        name: {kind: simulate(burst, rule).drain_s for kind, burst in BURSTS.items()} for name, rule in rules.items()
    }


def error(drain_s: float) -> float:
    """How far off the wish, too late and too early alike: 1 is twice or half of it."""
    return max(drain_s / DRAIN_S, DRAIN_S / drain_s) - 1


def worst_errors() -> dict[str, float]:
    """Of each rule, over all bursts."""
    return {name: max(map(error, found.values())) for name, found in drains_s().items()}


def _measure() -> dict[str, Any]:
    errors = worst_errors()
    best_count = min(found for name, found in errors.items() if name != "audio")
    return {
        "simulated": True, "wished_drain_s": DRAIN_S, "start_s": START_S,
        "drains_s": {name: {kind: round(one) for kind, one in found.items()} for name, found in drains_s().items()},
        "worst_error": {name: round(found, 3) for name, found in errors.items()},
        "times_better": round(best_count / errors["audio"], 1),
        "goal": "audio seconds miss the wished time by at most a quarter, and messages by ten times as much",
        "reached": errors["audio"] <= 0.25 and best_count >= 10 * errors["audio"],
    }  # fmt: skip


if __name__ == "__main__":
    run("autoscale", _measure, limit_s=120)
