"""The numbers of a car's steering, from how a simulated one moved, seen without a picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import atan, tan

import numpy as np
import pytest

from app.cli.calibrate_steering import true_curvature_1pm, true_limits
from calibration.profile import Calibration, SteeringTrim
from calibration.rolling import Order, Step
from calibration.steering_fit import SteeringFit, fit_servo, fit_steering
from control.errors import CalibrationError
from control.messages import AckermannCommand
from robot.measuring.steering import COMMANDS
from sim.vehicle.kinematics import Pose
from sim.vehicle.params import JETRACER, VehicleParams
from sim.vehicle.vehicle import Vehicle
from tests.calibration.test_motor_fit import between

USUAL = Calibration()
CAR = replace(
    JETRACER, top_speed_mps=2.6, dead_zone=0.04, lag_s=0.05, camera_delay_s=0.05, motor_delay_s=0.06,
    steering_center=0.09, max_steering_rad=0.45, right_stop_rad=0.3, understeer=0.03,
)  # fmt: skip
PERIOD_S = 1 / 30


def driven(car: VehicleParams, *, noise_m: float = 1e-4) -> tuple[list[Order], list[Step]]:
    rng = np.random.default_rng(0)
    vehicle = Vehicle(car)
    orders: list[Order] = []
    looks: list[tuple[float, Pose]] = []

    def hold(command: AckermannCommand, seconds: float) -> None:
        orders.append(Order(at_s=vehicle.now_s, command=command))
        vehicle.command(command)
        for _ in range(round(seconds / PERIOD_S)):
            looks.append((vehicle.now_s + car.camera_delay_s, vehicle.pose))
            vehicle.advance(PERIOD_S)

    for throttle in (0.08, 0.12):
        for sign in (1, -1):
            hold(AckermannCommand(throttle=sign * throttle), 0.5)
            hold(AckermannCommand(), 0.5)
    for command in COMMANDS:
        hold(AckermannCommand(steering=command), 0.5)
        for sign in (1, -1):
            hold(AckermannCommand(steering=command, throttle=sign * 0.15), 0.6)
            hold(AckermannCommand(steering=command), 0.5)
    steps = []
    for (begin_s, first), (end_s, second) in pairwise(looks):
        moved = between(first, second)
        x, y, turn = rng.normal(0, (noise_m, noise_m, noise_m * 10))
        steps.append(
            Step(
                begin_s=begin_s, end_s=end_s, moved=replace(moved, x=moved.x + x, y=moved.y + y, turn=moved.turn + turn)
            )
        )
    return orders, steps


@pytest.fixture(scope="module")
def fit() -> SteeringFit:
    return fit_steering(*driven(CAR), before=USUAL)


def test_the_servo_s_numbers_are_found(fit: SteeringFit) -> None:
    right, left = true_limits(CAR)
    assert fit.servo.center == pytest.approx(CAR.steering_center, abs=0.01)
    assert fit.servo.right_limit == pytest.approx(right, abs=0.03)
    assert fit.servo.left_limit == left == 1.0


def test_each_command_s_curvature_is_found_and_lies_on_the_line(fit: SteeringFit) -> None:
    for command, curvature in fit.curvatures_1pm:
        assert curvature == pytest.approx(true_curvature_1pm(CAR, command), abs=0.06)
    assert fit.misfit_1pm < 0.03


def test_throttle_and_times_are_found(fit: SteeringFit) -> None:
    assert fit.dead_zone == pytest.approx(CAR.dead_zone, abs=0.002)
    assert fit.top_speed_mps == pytest.approx(CAR.top_speed_mps, rel=0.02)
    assert fit.lag_s == pytest.approx(CAR.lag_s, abs=0.003)
    assert fit.delay_s == pytest.approx(CAR.total_delay_s, abs=0.003)


def test_it_becomes_a_calibration_whose_mixer_knows_the_limits(fit: SteeringFit) -> None:
    after = fit.applied_to(USUAL, compute_s=0.01)
    assert after.latency.delay_s == pytest.approx(CAR.total_delay_s + 0.01, abs=0.003)
    assert after.steering.right_limit == fit.servo.right_limit
    assert after.drive == USUAL.drive


def line(
    *, center: float, range_rad: float, right_rad: float = 9.0, left_rad: float = 9.0
) -> list[tuple[float, float]]:
    commands = sorted(COMMANDS)
    angles = [max(-right_rad, min(left_rad, range_rad * (command - center))) for command in commands]
    return [(command, tan(angle) / 0.174) for command, angle in zip(commands, angles, strict=True)]


@pytest.mark.parametrize(("right", "left"), [(9.0, 9.0), (0.3, 9.0), (9.0, 0.35), (0.35, 0.3)])
def test_stops_are_found_where_there_are_some(right: float, left: float) -> None:
    servo = fit_servo(line(center=0.05, range_rad=0.45, right_rad=right, left_rad=left), wheel_base_m=0.174)
    assert servo.center == pytest.approx(0.05, abs=1e-3)
    assert servo.right_limit == pytest.approx(max(-1.0, 0.05 - right / 0.45), abs=1e-3)
    assert servo.left_limit == pytest.approx(min(1.0, 0.05 + left / 0.45), abs=1e-3)


def test_noise_makes_no_stops() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        noisy = [(c, tan(atan(k * 0.174) + rng.normal(0, 0.002)) / 0.174) for c, k in line(center=0.0, range_rad=0.45)]
        servo = fit_servo(noisy, wheel_base_m=0.174)
        assert servo.center == pytest.approx(0.0, abs=0.01)
        assert servo.right_limit < -0.95
        assert servo.left_limit > 0.95


def test_a_reversed_servo_is_told() -> None:
    with pytest.raises(CalibrationError, match="wrong way"):
        fit_servo([(c, -k) for c, k in line(center=0.0, range_rad=0.45)], wheel_base_m=0.174)


def test_limits_lie_around_the_centre() -> None:
    with pytest.raises(CalibrationError, match="between right_limit and left_limit"):
        SteeringTrim(center=0.2, left_limit=0.1)
