from __future__ import annotations

from math import inf

import numpy as np
import pytest

from benchmarks.paired import bootstrap_interval, compare, error_at, speed_at

FRONT = [(0.02, 0.6), (0.005, 0.2), (0.01, 0.4)]


@pytest.mark.parametrize(
    ("bar", "speed"), [(0.005, 0.2), (0.0075, 0.3), (0.01, 0.4), (0.015, 0.5), (0.02, 0.6), (0.5, 0.6), (0.004, 0.0)]
)
def test_speed_at_an_error_is_read_off_the_front(bar: float, speed: float) -> None:
    assert speed_at(FRONT, bar) == pytest.approx(speed)


@pytest.mark.parametrize(
    ("speed", "error"), [(0.1, 0.005), (0.2, 0.005), (0.3, 0.0075), (0.5, 0.015), (0.6, 0.02), (0.7, inf)]
)
def test_error_at_a_speed_is_read_off_the_same_front(speed: float, error: float) -> None:
    assert error_at([*FRONT, (0.011, 0.25)], speed) == pytest.approx(error)


def test_a_slower_and_less_exact_setting_changes_nothing() -> None:
    assert speed_at([*FRONT, (0.011, 0.25), (0.03, 0.5)], 0.015) == pytest.approx(0.5)


def test_without_a_completed_drive_there_is_no_speed() -> None:
    assert speed_at([], 0.02) == 0.0
    assert error_at([], 0.2) == inf


def test_of_two_equally_exact_the_faster_counts() -> None:
    assert speed_at([(0.01, 0.3), (0.01, 0.5)], 0.01) == pytest.approx(0.5)


def test_a_comparison_pairs_the_tracks() -> None:
    found = compare([0.8, 0.6, 0.9], [0.4, 0.2, 0.3], seed=0)
    assert found is not None
    assert found.ratio == pytest.approx(3.0)
    assert found.tracks == 3
    assert 2.0 <= found.low <= found.ratio <= found.high <= 3.0 + 1e-9


def test_a_track_that_only_the_peer_drives_exactly_counts_against_us() -> None:
    found = compare([0.8, 0.0, 0.0], [0.4, 0.4, 0.4], seed=0)
    assert found is not None
    assert found.ratio == 0.0


def test_a_track_that_only_we_drive_exactly_is_left_out_and_told() -> None:
    found = compare([0.8, 0.8, 0.0], [0.4, 0.0, 0.0], seed=0)
    assert found is not None
    assert (found.ratio, found.tracks, found.peer_missed) == (2.0, 1, 1)


def test_nothing_to_compare_is_no_comparison() -> None:
    assert compare([0.8, 0.0], [0.0, 0.0], seed=0) is None


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(100):
        low, high = bootstrap_interval(rng.normal(2.0, 0.5, 15).tolist(), seed=seed)
        held += low <= 2.0 <= high
    assert 88 <= held <= 100


def test_more_values_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for count in (10, 160):
        low, high = bootstrap_interval(rng.normal(2.0, 0.5, count).tolist(), seed=0)
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 1.5, 2.0, 2.5, 4.0]
    assert bootstrap_interval(values, seed=7) == bootstrap_interval(values, seed=7)
