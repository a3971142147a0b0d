from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.errors import ConfigError
from robot.drive.pacer import Pacer


@pytest.mark.parametrize("camera_fps", [30, 31, 50, 59.94, 60, 90, 120])
def test_of_a_faster_camera_exactly_the_wanted_rate_is_used(camera_fps: float) -> None:
    pacer = Pacer(period_s=1 / 30)
    used = sum(pacer.is_due(i / camera_fps) for i in range(int(60 * camera_fps)))
    assert used == pytest.approx(30 * 60, abs=2)


@given(st.lists(st.floats(-0.004, 0.004), min_size=60, max_size=60))
def test_a_camera_of_the_same_rate_may_jitter(jitter: list[float]) -> None:
    pacer = Pacer(period_s=1 / 30)
    assert all(pacer.is_due(i / 30 + late) for i, late in enumerate([0.0, *jitter]))
    assert pacer.missed == 0


def test_every_frame_of_a_slower_camera_is_used_and_what_is_missing_is_counted() -> None:
    pacer = Pacer(period_s=1 / 30)
    assert all(pacer.is_due(i / 10) for i in range(11))
    assert pacer.missed == 20


def test_after_a_pause_there_is_no_burst() -> None:
    pacer = Pacer(period_s=0.1)
    pacer.is_due(0.0)
    assert pacer.is_due(5.0)
    assert pacer.dt_s == pytest.approx(5.0)
    assert not any(pacer.is_due(5.0 + i * 0.01) for i in range(1, 7))


def test_tells_the_time_between_used_frames() -> None:
    pacer = Pacer(period_s=0.1)
    assert pacer.dt_s == 0.1
    pacer.is_due(7.0)
    assert pacer.dt_s == 0.1
    pacer.is_due(7.11)
    assert pacer.dt_s == pytest.approx(0.11)


def test_each_time_is_that_since_the_last_used_frame() -> None:
    pacer = Pacer(period_s=1.0)
    between = [pacer.dt_s for stamp_s in (0.0, 1.0, 2.125, 3.0) if pacer.is_due(stamp_s)]
    assert between == [1.0, 1.0, 1.125, 0.875]


@pytest.mark.parametrize(("stamp_s", "due"), [(0.75, True), (0.8125, True), (0.734375, False)])
def test_a_frame_may_come_early_by_a_quarter_of_the_period(stamp_s: float, due: bool) -> None:
    pacer = Pacer(period_s=1.0)
    pacer.is_due(0.0)
    assert pacer.is_due(stamp_s) is due


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=200), st.floats(5, 100))
def test_never_more_than_the_rate(gaps: list[float], rate_hz: float) -> None:
    pacer = Pacer(period_s=1 / rate_hz)
    time_s, used = 0.0, [0.0]
    pacer.is_due(0.0)
    for gap in gaps:
        time_s += gap
        if pacer.is_due(time_s):
            used.append(time_s)
    assert len(used) <= time_s * rate_hz + 1.5


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="period_s"):
        Pacer(period_s=0.0)
