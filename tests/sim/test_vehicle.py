from __future__ import annotations

from math import exp, inf, pi, radians, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.errors import ConfigError, MotorError
from control.messages import AckermannCommand, DifferentialCommand
from sim.vehicle.kinematics import Pose, along_arc, differential_twist
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams
from sim.vehicle.vehicle import Vehicle

IDEAL = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, camera_delay_s=0.0)
duty = st.floats(-1, 1)


def driven(params: VehicleParams, command: DifferentialCommand | AckermannCommand, seconds: float) -> Vehicle:
    vehicle = Vehicle(params)
    vehicle.command(command)
    vehicle.advance(seconds)
    return vehicle


def both(value: float) -> DifferentialCommand:
    return DifferentialCommand(left=value, right=value)


def test_a_default_jetbot_answers_after_120_ms_in_all() -> None:
    assert JETBOT.total_delay_s == pytest.approx(0.12)


@given(st.floats(0, 0.3), st.floats(0.01, 1))
def test_a_command_acts_exactly_after_the_motor_delay(delay: float, after: float) -> None:
    params = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=delay)
    vehicle = driven(params, both(0.5), delay)
    assert vehicle.pose.x == 0.0
    vehicle.advance(after)
    assert vehicle.pose.x == pytest.approx(0.45 * after)


@given(st.floats(0.001, 0.5), st.floats(0.001, 1))
def test_the_lag_is_a_first_order_one_to_the_last_digit(lag: float, seconds: float) -> None:
    vehicle = driven(VehicleParams(dead_zone=0.0, lag_s=lag, motor_delay_s=0.0), both(1.0), seconds)
    assert vehicle.speed_mps == pytest.approx(0.9 * (1 - exp(-seconds / lag)))
    assert vehicle.pose.x == pytest.approx(0.9 * (seconds - lag * (1 - exp(-seconds / lag))))


@given(duty, duty, st.lists(st.floats(0.0005, 0.05), min_size=1, max_size=20))
def test_how_time_is_cut_up_changes_nothing(left: float, right: float, pieces: list[float]) -> None:
    command = DifferentialCommand(left=left, right=right)
    params = VehicleParams(lag_s=0.0)
    whole = driven(params, command, sum(pieces))
    cut = Vehicle(params)
    cut.command(command)
    for piece in pieces:
        cut.advance(piece)
    assert cut.now_s == pytest.approx(whole.now_s)
    assert (cut.pose.x, cut.pose.y, cut.pose.heading) == pytest.approx(
        (whole.pose.x, whole.pose.y, whole.pose.heading), abs=1e-9
    )


def test_inside_the_dead_zone_nothing_moves_and_at_full_duty_the_top_speed_is_reached() -> None:
    params = VehicleParams(dead_zone=0.04, lag_s=0.0, motor_delay_s=0.0)
    assert driven(params, both(0.04), 1.0).pose.x == 0.0
    assert driven(params, both(1.0), 1.0).speed_mps == pytest.approx(0.9)
    assert driven(params, both(-1.0), 1.0).speed_mps == pytest.approx(-0.9)
    assert driven(params, both(7.0), 1.0).speed_mps == pytest.approx(0.9)


def test_a_faster_right_wheel_turns_left_on_a_circle() -> None:
    vehicle = driven(IDEAL, DifferentialCommand(left=0.25, right=0.75), 1.0)
    assert vehicle.pose.heading == pytest.approx(0.9 * 0.5 / 0.10)
    assert vehicle.speed_mps == pytest.approx(0.45)


def test_a_weak_motor_pulls_to_its_side() -> None:
    weak_left = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, left_gain=0.9)
    assert driven(weak_left, both(0.5), 1.0).pose.heading > 0


def test_slip_and_understeer_take_their_share() -> None:
    params = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, slip=0.1, understeer=0.2)
    assert driven(params, both(0.5), 1.0).pose.x == pytest.approx(0.45 * 0.9)
    turned = driven(params, DifferentialCommand(left=-0.1, right=0.1), 1.0).pose.heading
    assert turned == pytest.approx(0.9 * 0.2 / 0.10 * 0.9 * 0.8)


def test_the_motor_drivers_ramp_limits_the_duty() -> None:
    params = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, duty_rate_per_s=1.0)
    assert driven(params, both(1.0), 0.5).speed_mps == pytest.approx(0.45, abs=1e-6)


def test_the_battery_sags_under_load_and_empties() -> None:
    sagging = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, sag=0.2)
    assert driven(sagging, both(1.0), 1.0).speed_mps == pytest.approx(0.9 * 0.8)
    assert driven(sagging, both(0.5), 1.0).speed_mps == pytest.approx(0.45 * 0.9)
    empty = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, discharge_per_s=0.1)
    assert driven(empty, both(1.0), 2.0).battery == pytest.approx(0.8)
    assert driven(empty, both(1.0), 60.0).battery == pytest.approx(0.5)


def test_an_ackermann_vehicle_follows_its_front_wheels() -> None:
    params = VehicleParams(
        drive="ackermann", wheel_base_m=0.174, lag_s=0.0, dead_zone=0.0, motor_delay_s=0.0, max_steering_rad=radians(28)
    )
    vehicle = driven(params, AckermannCommand(steering=0.5, throttle=0.5), 1.0)
    assert vehicle.pose.heading == pytest.approx(0.45 * tan(radians(14)) / 0.174)


def test_a_servo_out_of_trim_goes_straight_at_its_center_and_turns_at_its_own_rate() -> None:
    params = VehicleParams(drive="ackermann", lag_s=0.0, motor_delay_s=0.0, steering_center=0.1, servo_rate_radps=1.0)
    straight = driven(params, AckermannCommand(steering=0.1, throttle=0.5), 1.0)
    assert straight.pose.heading == pytest.approx(0.0)
    assert driven(params, AckermannCommand(steering=1.0), 0.1).steering_rad == pytest.approx(0.1)


def test_a_command_for_another_drive_or_not_finite_is_refused() -> None:
    with pytest.raises(MotorError, match="AckermannCommand"):
        Vehicle(JETBOT).command(AckermannCommand())
    with pytest.raises(MotorError, match="DifferentialCommand"):
        Vehicle(JETRACER).command(DifferentialCommand())
    with pytest.raises(MotorError, match="not finite"):
        Vehicle(JETBOT).command(both(float("nan")))


@given(st.floats(-3, 3), st.floats(-6, 6), st.floats(-pi, pi))
def test_arcs_add_up(distance: float, turn: float, heading: float) -> None:
    start = Pose(heading=heading)
    half = along_arc(along_arc(start, distance / 2, turn / 2), distance / 2, turn / 2)
    whole = along_arc(start, distance, turn)
    assert (half.x, half.y, half.heading) == pytest.approx((whole.x, whole.y, whole.heading), abs=1e-9)


@given(duty, duty)
def test_equal_wheels_go_straight_and_opposite_ones_turn_on_the_spot(left: float, right: float) -> None:
    assert differential_twist(left, left, wheel_base_m=0.1) == (left, 0.0)
    assert differential_twist(-right, right, wheel_base_m=0.1)[0] == 0.0


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_every_randomised_robot_is_a_valid_one_of_its_make(seed: int) -> None:
    other = JETRACER.randomised(np.random.default_rng(seed))
    assert other.drive == "ackermann"
    assert 0.09 <= other.total_delay_s <= 0.15
    assert other == JETRACER.randomised(np.random.default_rng(seed))
    assert other != JETRACER


@pytest.mark.parametrize(
    "change",
    [
        {"wheel_base_m": 0.0}, {"dead_zone": 1.0}, {"lag_s": -1.0}, {"slip": float("nan")}, {"motor_delay_s": inf},
        {"duty_rate_per_s": 0.0}, {"servo_rate_radps": float("nan")}, {"steering_center": inf},
        {"max_steering_rad": 1.6},
    ],
)  # fmt: skip
def test_an_impossible_vehicle_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="vehicle:"):
        VehicleParams(**change)  # type: ignore[arg-type]
