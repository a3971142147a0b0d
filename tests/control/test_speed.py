from math import inf, nan, sqrt

import pytest

from control.path import Bend
from control.speed import SpeedPlanner, SpeedSettings, curve_speed

SETTINGS = SpeedSettings(
    max_speed_mps=1.0, min_speed_mps=0.1, lateral_acceleration_mps2=2.0, faster_mps2=1.0, slower_mps2=2.0
)


def settled(*ahead: Bend, curvature: float = 0.0, sight_m: float = 5.0, confidence: float = 1.0) -> float:
    planner = SpeedPlanner(SETTINGS)
    for _ in range(200):
        planner.update(ahead, curvature_1pm=curvature, sight_m=sight_m, confidence=confidence, dt_s=0.05)
    return planner.speed_mps


def test_curve_speed_gives_the_lateral_acceleration() -> None:
    assert curve_speed(-5.0, lateral_acceleration_mps2=1.8) == pytest.approx(0.6)


def test_straight_and_sure_is_full_speed() -> None:
    assert settled() == 1.0


def test_a_bend_here_slows_and_a_bend_ahead_leaves_room_to_brake() -> None:
    assert settled(curvature=8.0) == pytest.approx(0.5)
    assert settled(Bend(distance_m=0.1, curvature_1pm=-8.0)) == pytest.approx(sqrt(0.25 + 2 * 2.0 * 0.1))
    assert settled(Bend(distance_m=0.3, curvature_1pm=8.0)) == 1.0


def test_speed_allows_to_brake_within_sight() -> None:
    assert settled(sight_m=0.2) == pytest.approx(sqrt(0.01 + 2 * 2.0 * 0.2))
    assert settled(sight_m=0.0) == pytest.approx(0.1)
    assert settled(sight_m=inf) == 1.0


@pytest.mark.parametrize(("confidence", "speed"), [(0.6, 1.0), (0.3, 0.5), (0.0, 0.1), (nan, 0.1)])
def test_an_unsure_line_is_followed_slowly(confidence: float, speed: float) -> None:
    assert settled(confidence=confidence) == pytest.approx(speed)


def test_speed_changes_within_its_accelerations() -> None:
    planner = SpeedPlanner(SETTINGS)
    assert planner.update([], curvature_1pm=0, sight_m=5, confidence=1, dt_s=0.05) == pytest.approx((0.05, True))
    planner.restart(1.0)
    assert planner.update([], curvature_1pm=0, sight_m=0, confidence=1, dt_s=0.05) == pytest.approx((0.9, True))


def test_a_lost_line_ramps_from_full_speed_to_rest_in_its_time() -> None:
    planner = SpeedPlanner(SETTINGS)
    planner.restart(9.0)
    assert planner.speed_mps == 1.0
    for _ in range(5):
        planner.lose(dt_s=0.05)
    assert planner.speed_mps == pytest.approx(1 / 6)
    planner.lose(dt_s=0.05)
    assert planner.speed_mps == pytest.approx(0.0, abs=1e-9)
