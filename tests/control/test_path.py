from math import cos, hypot, pi, sin

import pytest

from control.messages import GroundPoint
from control.path import bends, line_state, target_at


def points(*pairs: tuple[float, float]) -> list[GroundPoint]:
    return [GroundPoint(x=x, y=y) for x, y in pairs]


def circle(radius: float, *, to_degrees: int = 80) -> list[GroundPoint]:
    """A left-hand bend that begins straight ahead of the vehicle."""
    angles = [pi / 180 * a for a in range(0, to_degrees + 1, 8)]
    return [GroundPoint(x=radius * sin(a), y=radius * (1 - cos(a))) for a in angles]


def test_the_target_lies_between_points_at_the_look_ahead() -> None:
    target, index = target_at(points((0.1, 0.0), (0.2, 0.0), (0.4, 0.1)), 0.3)
    assert hypot(target.x, target.y) == pytest.approx(0.3)
    assert index == 1
    assert 0 < target.y < 0.1


def test_the_target_is_never_extrapolated() -> None:
    line = points((0.2, 0.0), (0.3, 0.1))
    assert target_at(line, 0.9) == (line[1], 1)
    assert target_at(line, 0.1) == (line[0], 0)
    assert target_at(line[:1], 0.1) == (line[0], 0)


def test_points_behind_the_vehicle_lead_to_the_target_ahead() -> None:
    target, _ = target_at(points((-0.1, 0.0), (0.05, 0.0), (0.3, 0.0)), 0.1)
    assert (target.x, target.y) == pytest.approx((0.1, 0.0))


def test_offset_and_heading_of_a_slanted_line() -> None:
    state = line_state(points((0.0, 0.02), (0.1, 0.03), (0.2, 0.04)), within_m=1.0)
    assert state is not None
    assert (state.offset_m, state.heading_rad) == pytest.approx((0.02, 0.0997), abs=1e-3)


def test_offset_and_heading_on_a_circle_are_zero() -> None:
    state = line_state(circle(0.5), within_m=0.25)
    assert state is not None
    assert (state.offset_m, state.heading_rad) == pytest.approx((0.0, 0.0), abs=0.01)


def test_two_points_make_a_straight_line_and_one_makes_none() -> None:
    state = line_state(points((0.1, 0.02), (0.2, 0.02)), within_m=1.0)
    assert state is not None
    assert (state.offset_m, state.heading_rad) == pytest.approx((0.02, 0.0))
    assert line_state(points((0.1, 0.0)), within_m=1.0) is None
    assert line_state(points((0.1, 0.0), (0.9, 0.0)), within_m=0.5) is None
    assert line_state(points((0.1, 0.0), (0.1, 0.3)), within_m=1.0) is None


@pytest.mark.parametrize("radius", [0.2, 0.4, 1.0])
def test_bends_of_a_circle_have_its_curvature(radius: float) -> None:
    found = bends(circle(radius), window_m=0.15)
    assert found
    assert all(b.curvature_1pm == pytest.approx(1 / radius, rel=0.12) for b in found)
    assert [b.distance_m for b in found] == sorted(b.distance_m for b in found)


def test_a_straight_line_has_no_bends_and_few_points_tell_none() -> None:
    straight = points(*[(0.1 * k, 0.05 * k) for k in range(8)])
    assert all(abs(b.curvature_1pm) < 1e-9 for b in bends(straight, window_m=0.2))
    assert bends(points((0.1, 0.0), (0.2, 0.0)), window_m=0.2) == []
    assert bends(points((0.1, 0.0), (0.1, 0.0), (0.1, 0.0)), window_m=0.2) == []
