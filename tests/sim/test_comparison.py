from __future__ import annotations

import numpy as np
import pytest

from sim.benchmark.comparison import bootstrap_interval, compare
from sim.benchmark.scenarios import Record


def drives(*, error_m: float, completed: int, speed: float = 0.5, tracks: int = 6) -> list[Record]:
    """Four on each track, which lie a little apart; the first ``completed`` of all are completed."""
    return [
        {
            "track": f"t{number // 4}", "look": "white-tape", "direction": "forward", "clutter": 0, "seed": number,
            "robot": 0, "delay_ms": None, "completed": number < completed, "mean_speed_m_s": speed,
            "lateral_error_rms_m": error_m * (1 + 0.1 * (number % 4)), "lateral_error_p95_m": error_m * 2,
            "off_line_s": 0.0, "steering_effort_1pm_s": 3.0,
        }
        for number in range(4 * tracks)
    ]  # fmt: skip


def test_the_same_is_neither_better_nor_worse() -> None:
    found = compare(drives(error_m=0.01, completed=24), drives(error_m=0.01, completed=24))
    assert found.pairs == 24
    assert not found.worse
    assert not any(row.better for row in found.rows)
    assert all(row.low == row.difference == row.high == 0 for row in found.rows)


def test_larger_errors_are_worse_and_faster_is_better() -> None:
    found = compare(drives(error_m=0.01, completed=24), drives(error_m=0.014, completed=24, speed=0.6))
    rows = {row.measure.key: row for row in found.rows}
    assert rows["lateral_error_rms_m"].worse
    assert rows["lateral_error_rms_m"].difference == pytest.approx(0.0046)
    assert rows["mean_speed_m_s"].better
    assert found.worse


def test_a_sure_difference_that_is_tiny_is_no_reason_to_warn() -> None:
    found = compare(drives(error_m=0.01, completed=24), drives(error_m=0.0101, completed=24))
    assert not found.worse


def test_one_lap_lost_is_worse_whatever_the_averages_say() -> None:
    found = compare(drives(error_m=0.02, completed=24), drives(error_m=0.01, completed=23))
    assert found.worse
    assert len(found.lost) == 1
    assert found.p_completed == 1.0
    assert compare(drives(error_m=0.02, completed=24), drives(error_m=0.02, completed=18)).p_completed == 2 / 2**6


def test_drives_without_a_partner_are_left_out() -> None:
    found = compare(drives(error_m=0.01, completed=24), drives(error_m=0.01, completed=20, tracks=5))
    assert (found.pairs, found.unpaired) == (20, 4)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Drives on one track share half of their scatter: by the drive the interval would be far too narrow.
    rng = np.random.default_rng(5)
    groups = [f"t{track}" for track in range(20) for _ in range(4)]
    covered = 0
    for trial in range(100):
        apart = 0.3 + np.repeat(rng.standard_normal(20), 4) + rng.standard_normal(80)
        low, high = bootstrap_interval(apart, groups, seed=trial)
        covered += low <= 0.3 <= high
    assert 85 <= covered <= 100
