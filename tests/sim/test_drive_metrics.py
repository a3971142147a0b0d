from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.benchmark.metrics import measure
from sim.world import Truth


def truth(time_s: float, distance_m: float, *, error_m: float = 0.0, off: bool = False) -> Truth:
    return Truth(
        time_s=time_s, x=0.0, y=0.0, heading_rad=0.0, speed_mps=0.5, lateral_error_m=error_m, heading_error_rad=0.0,
        along_m=distance_m, distance_m=distance_m, laps=0, off_line=off,
    )  # fmt: skip


def at_half_a_metre_a_second(seconds: int, *, error_m: float = 0.0) -> list[Truth]:
    return [truth(t / 10, t / 20, error_m=error_m) for t in range(seconds * 10 + 1)]


def test_a_clean_lap() -> None:
    metrics = measure(at_half_a_metre_a_second(20, error_m=-0.02), lap_m=10.0, laps=1, end_m=10.0)
    assert metrics.completed
    assert metrics.laps == 1
    assert metrics.lap_time_s == pytest.approx(20)
    assert metrics.mean_speed_m_s == pytest.approx(0.5)
    assert metrics.lateral_error_rms_m == pytest.approx(0.02)
    assert metrics.lateral_error_p95_m == pytest.approx(0.02)
    assert metrics.lateral_error_max_m == pytest.approx(0.02)
    assert metrics.off_line_s == 0


def test_lap_time_is_the_mean_over_whole_laps() -> None:
    metrics = measure(at_half_a_metre_a_second(50), lap_m=10.0, laps=3, end_m=30.0)
    assert metrics.laps == 2
    assert metrics.lap_time_s == pytest.approx(20)
    assert not metrics.completed


def test_laps_without_end_cost_nothing() -> None:
    metrics = measure(at_half_a_metre_a_second(50), lap_m=10.0, laps=10**15, end_m=1e16)
    assert metrics.laps == 2
    assert not metrics.completed


def test_half_a_lap_is_no_lap() -> None:
    metrics = measure(at_half_a_metre_a_second(10), lap_m=10.0, laps=1, end_m=10.0)
    assert metrics.laps == 0
    assert metrics.lap_time_s is None
    assert not metrics.completed


def test_an_open_track_is_driven_when_its_end_is_near() -> None:
    metrics = measure(at_half_a_metre_a_second(10), lap_m=5.3, laps=1, end_m=5.0)
    assert metrics.completed
    assert metrics.lap_time_s == pytest.approx(10)


def test_time_off_the_line_counts_and_the_lap_is_not_completed() -> None:
    truths = at_half_a_metre_a_second(20)
    truths[50:60] = [truth(t / 10, t / 20, error_m=0.3, off=True) for t in range(50, 60)]
    metrics = measure(truths, lap_m=10.0, laps=1, end_m=10.0)
    assert metrics.off_line_s == pytest.approx(1.0)
    assert metrics.laps == 1
    assert not metrics.completed


def test_samples_off_the_line_count_with_their_full_error() -> None:
    clean = measure(at_half_a_metre_a_second(20, error_m=0.01), lap_m=10.0, laps=1, end_m=10.0)
    truths = at_half_a_metre_a_second(20, error_m=0.01)
    truths[50:60] = [truth(t / 10, t / 20, error_m=0.3, off=True) for t in range(50, 60)]
    metrics = measure(truths, lap_m=10.0, laps=1, end_m=10.0)
    assert metrics.lateral_error_max_m == pytest.approx(0.3)
    assert metrics.lateral_error_rms_m > 5 * clean.lateral_error_rms_m


@pytest.mark.parametrize("count", [0, 1])
def test_a_drive_that_never_began_has_no_numbers(count: int) -> None:
    metrics = measure(at_half_a_metre_a_second(1)[:count], lap_m=10.0, laps=1, end_m=10.0)
    assert isnan(metrics.lateral_error_rms_m)
    assert not metrics.completed
    assert metrics.mean_speed_m_s == 0


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=100))
def test_rms_never_exceeds_the_maximum_and_the_sign_does_not_matter(errors: list[float]) -> None:
    def of(sign: float) -> list[Truth]:
        return [truth(i / 30, i / 60, error_m=sign * e) for i, e in enumerate(errors)]

    metrics = measure(of(1.0), lap_m=10.0, laps=1, end_m=10.0)
    assert metrics.lateral_error_rms_m <= metrics.lateral_error_max_m + 1e-12
    assert metrics.lateral_error_p95_m <= metrics.lateral_error_max_m
    assert measure(of(-1.0), lap_m=10.0, laps=1, end_m=10.0) == metrics
