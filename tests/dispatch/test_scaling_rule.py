"""Why autoscaling asks for seconds: a simulated queue with files of three seconds and of three hours."""

from __future__ import annotations

import pytest

from benchmarks.autoscale_model import SPEED, Burst, by_audio, by_messages, simulate
from benchmarks.bench_autoscale import worst_errors


def test_audio_seconds_meet_the_wished_time_and_messages_miss_it_by_ten_times_as_much() -> None:
    errors = worst_errors()
    audio = errors.pop("audio")

    assert audio <= 0.25
    assert min(errors.values()) >= 10 * audio


@pytest.mark.parametrize("burst", [Burst([3.0] * 20_000), Burst([10_800.0] * 20)])
def test_both_rules_agree_on_the_files_that_messages_were_tuned_for(burst: Burst) -> None:
    usual_s = burst.lengths_s[0]
    audio = simulate(burst, by_audio(drain_s=600)).drain_s
    assert simulate(burst, by_messages(drain_s=600, usual_s=usual_s)).drain_s == pytest.approx(audio, rel=0.1)


def test_one_replica_hears_all_of_a_small_burst() -> None:
    found = simulate(Burst([3.0] * 10), by_audio(drain_s=600))
    assert found.drain_s == pytest.approx(30 / SPEED)
