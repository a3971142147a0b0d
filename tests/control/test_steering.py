from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.messages import GroundPoint
from control.steering import Steering, SteeringSettings, pure_pursuit_curvature

AHEAD = GroundPoint(x=0.3, y=0.0)
DT = 1 / 30


def steer(steering: Steering, error: float = 0.0, *, target: GroundPoint = AHEAD, dt_s: float = DT) -> float:
    return steering.update(target, error, speed_mps=0.4, dt_s=dt_s)[0]


@pytest.mark.parametrize(("x", "y", "kappa"), [(0.3, 0.0, 0.0), (0.2, 0.2, 5.0), (0.0, -0.5, -4.0)])
def test_pure_pursuit_is_the_arc_through_the_target(x: float, y: float, kappa: float) -> None:
    assert pure_pursuit_curvature(GroundPoint(x=x, y=y)) == pytest.approx(kappa)


def test_pure_pursuit_of_a_point_under_the_wheels_is_finite() -> None:
    assert pure_pursuit_curvature(GroundPoint(x=0.0, y=0.0)) == 0.0
    assert isfinite(pure_pursuit_curvature(GroundPoint(x=0.0, y=1e-300)))


def test_a_line_to_the_left_is_steered_to_the_left_by_every_term() -> None:
    steering = Steering(SteeringSettings(kp=2.0, ki=3.0, kd=0.5, derivative_filter_s=0.0))
    steering.update(AHEAD, 0.0, speed_mps=0.4, dt_s=0.1)
    curvature, terms, limited = steering.update(GroundPoint(x=0.3, y=0.03), 0.1, speed_mps=0.4, dt_s=0.1)
    assert terms.proportional == pytest.approx(0.2)
    assert terms.integral == pytest.approx(0.03)
    assert terms.derivative == pytest.approx(0.5)
    assert terms.feed_forward == pytest.approx(0.06 / 0.0909)
    assert terms.error == 0.1
    assert curvature == pytest.approx(0.73 + 0.06 / 0.0909)
    assert not limited


def test_steps_below_ten_milliseconds_still_answer() -> None:
    steering = Steering(SteeringSettings(kp=2.0, ki=0.0, kd=0.0))
    assert [steer(steering, e, dt_s=0.004) for e in (0.1, 0.2)] == pytest.approx([0.2, 0.4])


def test_the_integrator_rests_while_a_limit_bites() -> None:
    steering = Steering(SteeringSettings(ki=4.0))
    steer(steering, 0.1)
    before = steering.trim_1pm
    steering.applied(0.0, was_limited=True)
    steer(steering, 0.1)
    assert steering.trim_1pm == before > 0
    steering.applied(0.0, was_limited=False)
    steer(steering, 0.1)
    assert steering.trim_1pm > before


def test_the_integrator_rests_while_standing_and_is_bounded() -> None:
    steering = Steering(SteeringSettings(ki=4.0, max_integral_1pm=0.5))
    steering.update(AHEAD, 0.2, speed_mps=0.0, dt_s=DT)
    assert steering.trim_1pm == 0.0
    for _ in range(200):
        steer(steering, 0.5)
    assert steering.trim_1pm == 0.5


def test_hand_over_starts_where_the_other_driver_steered_and_leaves_no_bias() -> None:
    steering = Steering(SteeringSettings(ki=0.0, max_rate_1pm_s=30.0))
    steer(steering, 0.3)
    steering.hand_over(5.0)
    assert steering.curvature_1pm == 5.0
    assert steer(steering) == pytest.approx(5.0 - 30.0 * DT)
    for _ in range(20):
        steer(steering)
    assert steering.curvature_1pm == 0.0


def test_a_limited_command_is_where_the_rate_limit_goes_on_from() -> None:
    steering = Steering(SteeringSettings(max_rate_1pm_s=30.0))
    steering.applied(3.0, was_limited=True)
    assert steer(steering) == pytest.approx(2.0)
    steering.applied(99.0, was_limited=False)
    assert steer(steering) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_no_number_repeats_the_last_curvature_and_poisons_nothing(bad: float) -> None:
    steering = Steering()
    last = steer(steering, 0.1)
    for target, error, speed, dt_s in (
        (GroundPoint(x=bad, y=0.0), 0.0, 0.4, DT), (GroundPoint(x=0.1, y=bad), 0.0, 0.4, DT),
        (AHEAD, bad, 0.4, DT), (AHEAD, 0.0, bad, DT), (AHEAD, 0.0, 0.4, bad),
    ):  # fmt: skip
        curvature, _, limited = steering.update(target, error, speed_mps=speed, dt_s=dt_s)
        assert (curvature, limited) == (last, True)
    assert isfinite(steer(steering, 0.1))


def test_gains_fall_with_speed_above_the_full_gain_speed() -> None:
    settings = SteeringSettings(kp=2.0, ki=0.0, kd=0.0, full_gain_speed_mps=0.5)
    _, slow, _ = Steering(settings).update(AHEAD, 0.1, speed_mps=0.5, dt_s=DT)
    _, fast, _ = Steering(settings).update(AHEAD, 0.1, speed_mps=1.0, dt_s=DT)
    assert (slow.proportional, fast.proportional) == pytest.approx((0.2, 0.1))


STEPS = st.sampled_from([0.0, DT, 5.0, -1.0, nan])


@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats(), STEPS), max_size=20))
def test_whatever_comes_the_curvature_stays_within_its_limit(steps: list[tuple[float, float, float, float]]) -> None:
    steering = Steering()
    for x, y, error, dt_s in steps:
        curvature = steer(steering, error, target=GroundPoint(x=x, y=y), dt_s=dt_s)
        assert abs(curvature) <= steering.settings.max_curvature_1pm
