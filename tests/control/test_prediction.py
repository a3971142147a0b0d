from math import cos, exp, inf, nan, pi, sin

import pytest

from control.errors import ConfigError
from control.messages import DriveCommand, GroundPoint
from control.prediction import Motion, MotionHistory


def steady(command: DriveCommand, *, delay_s: float, lag_s: float) -> MotionHistory:
    history = MotionHistory(delay_s=delay_s, motor_lag_s=lag_s)
    for k in range(-90, 1):
        history.record(command, now_s=k / 30)
    return history


def test_straight_on_a_point_comes_nearer_by_speed_times_delay() -> None:
    history = steady(DriveCommand(speed_mps=0.5), delay_s=0.12, lag_s=0.06)
    motion = history.predict(exposed_s=-0.08, now_s=0.0)
    point = motion.see(GroundPoint(x=0.3, y=0.1))
    assert (point.x, point.y) == pytest.approx((0.24, 0.1))
    assert motion.speed_mps == pytest.approx(0.5)


def test_on_a_circle_the_pose_lies_on_the_circle() -> None:
    history = steady(DriveCommand(speed_mps=0.5, curvature_1pm=4.0), delay_s=0.2, lag_s=0.0)
    motion = history.predict(exposed_s=-0.05, now_s=0.0)
    turned = 0.5 * 4.0 * 0.2
    assert motion.x == pytest.approx(sin(turned) / 4, abs=2e-5)
    assert motion.y == pytest.approx((1 - cos(turned)) / 4, abs=2e-5)
    assert motion.heading == pytest.approx(turned)
    assert motion.yaw_rate_rps == pytest.approx(2.0)


def test_a_quarter_turn_brings_what_was_left_to_the_front() -> None:
    seen = Motion(heading=pi / 2).see(GroundPoint(x=0.0, y=0.2))
    assert (seen.x, seen.y) == pytest.approx((0.2, 0.0), abs=1e-12)
    moved = Motion(x=0.1, y=0.05).see(GroundPoint(x=0.3, y=0.1))
    assert (moved.x, moved.y) == pytest.approx((0.2, 0.05))


def test_a_command_acts_only_after_the_rest_of_the_delay() -> None:
    history = MotionHistory(delay_s=0.12, motor_lag_s=0.0)
    history.record(DriveCommand(speed_mps=0.0), now_s=-1.0)
    history.record(DriveCommand(speed_mps=1.0), now_s=-0.03)
    assert history.predict(exposed_s=-0.08, now_s=0.0).x == pytest.approx(0.03)
    assert history.predict(exposed_s=-0.08, now_s=0.0, lead_s=0.02).x == pytest.approx(0.05)


def test_the_wheels_lag_behind_by_their_time_constant() -> None:
    history = MotionHistory(delay_s=0.1, motor_lag_s=0.05)
    history.record(DriveCommand(speed_mps=0.0), now_s=-1.0)
    history.record(DriveCommand(speed_mps=1.0), now_s=-0.1)
    motion = history.predict(exposed_s=-0.1, now_s=0.0)
    assert motion.speed_mps == pytest.approx(1 - exp(-2))
    assert motion.x == pytest.approx(0.1 - 0.05 * (1 - exp(-2)))


def test_a_frame_older_than_the_delay_is_predicted_to_now() -> None:
    history = steady(DriveCommand(speed_mps=0.5), delay_s=0.12, lag_s=0.0)
    assert history.predict(exposed_s=-0.3, now_s=0.0).x == pytest.approx(0.15)


def test_a_frame_from_the_future_counts_as_exposed_now() -> None:
    history = steady(DriveCommand(speed_mps=0.5), delay_s=0.12, lag_s=0.0)
    assert history.predict(exposed_s=1.0, now_s=0.0).x == pytest.approx(0.06)


@pytest.mark.parametrize(("exposed", "now"), [(nan, 0.0), (0.0, nan), (inf, 0.0), (-inf, 0.0), (0.0, inf)])
def test_without_a_stamp_nothing_is_predicted(exposed: float, now: float) -> None:
    assert steady(DriveCommand(speed_mps=0.5), delay_s=0.1, lag_s=0.1).predict(exposed_s=exposed, now_s=now) == Motion()


def test_without_commands_the_vehicle_stands() -> None:
    history = MotionHistory(delay_s=0.12, motor_lag_s=0.06)
    assert history.predict(exposed_s=0.0, now_s=0.1) == Motion()
    history.record(DriveCommand(speed_mps=1.0), now_s=0.0)
    history.clear()
    assert history.predict(exposed_s=0.0, now_s=0.1) == Motion()


def test_bad_commands_and_clocks_that_run_backwards_are_ignored() -> None:
    history = steady(DriveCommand(speed_mps=0.5), delay_s=0.12, lag_s=0.06)
    before = history.predict(exposed_s=-0.05, now_s=0.0)
    history.record(DriveCommand(speed_mps=nan), now_s=0.0)
    history.record(DriveCommand(speed_mps=1.0, curvature_1pm=inf), now_s=0.0)
    history.record(DriveCommand(speed_mps=9.0), now_s=-0.01)
    history.record(DriveCommand(speed_mps=9.0), now_s=nan)
    assert history.predict(exposed_s=-0.05, now_s=0.0) == before


def test_a_latency_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="delay_s"):
        MotionHistory(delay_s=-0.1, motor_lag_s=0.0)
    with pytest.raises(ConfigError, match="motor_lag_s"):
        MotionHistory(delay_s=0.1, motor_lag_s=nan)
