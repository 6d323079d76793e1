"""Long audio is cut at quiet places, and the parts are exactly the whole."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from speech.audio.cuts import Span, is_all_silent, plan_segments
from speech.audio.levels import LEVEL_MS, Levels, levels_of

LOUD, QUIET, SILENT = -150, -500, -900


@given(
    levels=hnp.arrays(np.int16, st.integers(0, 3000), elements=st.integers(-1000, 0)),
    rest_ms=st.integers(0, 19),
    target_ms=st.integers(400, 5_000),
    slack_ms=st.integers(0, 5_000),
)
def test_the_parts_cover_the_audio_exactly_once_within_their_bounds(
    levels: Levels, rest_ms: int, target_ms: int, slack_ms: int
) -> None:
    duration_ms = max(0, len(levels) * LEVEL_MS - rest_ms)
    max_ms = target_ms + slack_ms

    spans = plan_segments(levels, duration_ms=duration_ms, target_ms=target_ms, max_ms=max_ms)

    assert sum(span.duration_ms for span in spans) == duration_ms
    assert all(one.end_ms == two.start_ms for one, two in pairwise(spans))
    assert [span.start_ms for span in spans[:1]] == [0] * bool(spans)
    assert all(span.duration_ms <= max_ms for span in spans)
    assert all(span.duration_ms >= target_ms // 4 for span in spans) or len(spans) == 1


@given(
    levels=hnp.arrays(np.int16, st.integers(0, 3000), elements=st.integers(-1000, 0)),
    wanted=st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)),
    target_ms=st.integers(400, 5_000),
    slack_ms=st.integers(0, 5_000),
)
def test_the_parts_cover_a_range_exactly_once_within_their_bounds(
    levels: Levels, wanted: tuple[int, int], target_ms: int, slack_ms: int
) -> None:
    duration_ms = len(levels) * LEVEL_MS
    start_ms, end_ms = sorted(min(place_ms, duration_ms) for place_ms in wanted)
    max_ms = target_ms + slack_ms

    spans = plan_segments(
        levels, duration_ms=duration_ms, target_ms=target_ms, max_ms=max_ms, start_ms=start_ms, end_ms=end_ms
    )

    borders = [start_ms, *(span.end_ms for span in spans)]
    assert [(span.start_ms, span.end_ms) for span in spans] == list(pairwise(borders))
    assert borders[-1] == end_ms
    assert all(target_ms // 4 <= span.duration_ms <= max_ms for span in spans) or len(spans) <= 1
    assert all(0 < span.duration_ms <= max_ms for span in spans)


def test_a_range_is_cut_at_its_own_pauses_with_times_of_the_whole_audio() -> None:
    levels = np.full(3000, LOUD, dtype=np.int16)
    levels[1400:1450] = SILENT

    spans = plan_segments(levels, duration_ms=60_000, target_ms=10_000, max_ms=15_000, start_ms=20_000, end_ms=40_000)

    assert spans[0].start_ms == 20_000
    assert any(28_000 < span.end_ms < 29_000 for span in spans)
    assert spans[-1].end_ms == 40_000


def test_a_range_outside_of_the_audio_is_refused() -> None:
    levels = np.full(100, LOUD, dtype=np.int16)
    for start_ms, end_ms in ((-1, 100), (300, 200), (0, 2001)):
        with pytest.raises(ValueError, match="start_ms"):
            plan_segments(levels, duration_ms=2000, target_ms=1000, max_ms=2000, start_ms=start_ms, end_ms=end_ms)


def test_a_pause_wins_over_the_deeper_gap_inside_a_plosive() -> None:
    levels = np.full(2000, LOUD, dtype=np.int16)
    levels[940:955] = QUIET
    levels[1000:1002] = QUIET - 150

    assert 18_800 < plan_segments(levels, duration_ms=40_000, target_ms=20_000, max_ms=25_000)[0].end_ms < 19_100


def test_a_short_gap_wins_over_the_gap_inside_a_word_that_is_a_little_quieter() -> None:
    """Where nobody pauses: 60 ms between two words against 20 ms of closed lips."""
    levels = np.full(2000, LOUD, dtype=np.int16)
    levels[960:963] = QUIET
    levels[1010] = QUIET - 150

    assert 19_200 <= plan_segments(levels, duration_ms=40_000, target_ms=20_000, max_ms=25_000)[0].end_ms <= 19_260


def test_a_pause_near_the_target_is_where_it_cuts() -> None:
    levels = np.full(3000, LOUD, dtype=np.int16)
    levels[1400:1450] = SILENT  # a second of silence at 28 s

    spans = plan_segments(levels, duration_ms=60_000, target_ms=30_000, max_ms=45_000)

    assert 28_000 < spans[0].end_ms < 29_000


def test_the_cut_lies_in_the_middle_of_a_pause_and_not_at_its_edge() -> None:
    levels = np.full(2000, LOUD, dtype=np.int16)
    levels[990:1010] = SILENT

    assert plan_segments(levels, duration_ms=40_000, target_ms=20_000, max_ms=25_000)[0].end_ms == 20_000


def test_without_any_pause_it_cuts_at_the_target() -> None:
    levels = np.full(5000, LOUD, dtype=np.int16)

    spans = plan_segments(levels, duration_ms=100_000, target_ms=30_000, max_ms=40_000)

    assert [span.end_ms for span in spans] == [30_000, 60_000, 90_000, 100_000] or [span.end_ms for span in spans] == [
        30_000,
        60_000,
        100_000,
    ]


def test_what_fits_is_not_cut() -> None:
    levels = np.full(2000, LOUD, dtype=np.int16)

    assert plan_segments(levels, duration_ms=40_000, target_ms=30_000, max_ms=40_000) == (Span(0, 40_000),)


def test_silent_parts_are_flagged_and_all_silent_audio_is_noticed() -> None:
    levels = np.full(3000, SILENT, dtype=np.int16)
    assert is_all_silent(plan_segments(levels, duration_ms=60_000, target_ms=20_000, max_ms=30_000))

    levels[:500] = QUIET
    spans = plan_segments(levels, duration_ms=60_000, target_ms=20_000, max_ms=30_000)
    assert not spans[0].silent
    assert spans[-1].silent
    assert not is_all_silent(spans)


def test_nothing_is_planned_for_nothing() -> None:
    assert plan_segments(np.zeros(0, dtype=np.int16), duration_ms=0, target_ms=1000, max_ms=2000) == ()


def test_bounds_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(ValueError, match="min_ms"):
        plan_segments(np.zeros(9, dtype=np.int16), duration_ms=180, target_ms=100, max_ms=200, min_ms=60)


def test_ten_hours_are_planned_in_under_half_a_second() -> None:
    levels = np.random.default_rng(0).integers(-700, 0, 10 * 3600 * 50).astype(np.int16)
    start = time.process_time()

    spans = plan_segments(levels, duration_ms=10 * 3_600_000, target_ms=15_000, max_ms=30_000)

    assert time.process_time() - start < 0.5
    assert len(spans) > 1000


def test_levels_are_tenths_of_a_decibel_below_full_scale() -> None:
    square = np.tile(np.array([16384, -16384], dtype=np.int16), 320)

    assert levels_of(square).tolist() == [-60, -60]
