"""The latency of a drive along a line, seen without a picture: found although the rest is only roughly known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import sin

import numpy as np
import pytest

from app.cli.calibrate_latency import together
from calibration.latency_fit import LatencyFit, fit_latency
from calibration.profile import Calibration
from calibration.rolling import Order, Step
from control.errors import CalibrationError
from control.messages import DriveCommand
from control.mixing import DifferentialMixer
from sim.vehicle.kinematics import Pose
from sim.vehicle.params import JETBOT, VehicleParams
from sim.vehicle.vehicle import Vehicle
from tests.calibration.test_motor_fit import between

USUAL = Calibration()
ROBOT = replace(
    JETBOT, left_gain=0.97, right_gain=1.02, top_speed_mps=0.84, dead_zone=0.05, lag_s=0.045, camera_delay_s=0.05,
    motor_delay_s=0.11, slip=0.03, understeer=0.04,
)  # fmt: skip
PERIOD_S = 1 / 30


def driven(robot: VehicleParams, *, curvature_1pm: float = 4.0, seed: int = 0) -> tuple[list[Order], list[Step]]:
    """20 s of bends this way and that, at a speed that changes as before bends."""
    rng = np.random.default_rng(seed)
    vehicle, mixer = Vehicle(robot), DifferentialMixer()
    orders: list[Order] = []
    looks: list[tuple[float, Pose]] = []
    for _ in range(600):
        now_s = vehicle.now_s
        bend = curvature_1pm * sin(2.1 * now_s) + 0.2 * curvature_1pm * float(rng.standard_normal())
        wish = DriveCommand(curvature_1pm=bend, speed_mps=0.5 - 0.02 * abs(bend))
        looks.append((now_s + robot.camera_delay_s, vehicle.pose))
        command, _ = mixer.wheels(wish)
        orders.append(Order(at_s=now_s, command=command))
        vehicle.command(command)
        vehicle.advance(PERIOD_S)
    steps = []
    for (begin_s, first), (end_s, second) in pairwise(looks):
        moved = between(first, second)
        x, y, turn = rng.normal(0, (2e-4, 2e-4, 2e-3))
        noisy = replace(moved, x=moved.x + x, y=moved.y + y, turn=moved.turn + turn)
        steps.append(Step(begin_s=begin_s, end_s=end_s, moved=noisy))
    return orders, steps


WAITS_S = [0.010 + 0.0001 * (i % 100) for i in range(600)]


@pytest.fixture(scope="module")
def fit() -> LatencyFit:
    return fit_latency(*driven(ROBOT), WAITS_S, before=USUAL)


def test_delay_and_lag_are_found(fit: LatencyFit) -> None:
    assert fit.delay_s == pytest.approx(ROBOT.total_delay_s, abs=0.005)
    assert fit.lag_s == pytest.approx(ROBOT.lag_s, abs=0.008)
    assert fit.delay_deviation_s < 0.004


def test_what_a_picture_waits_is_part_of_the_delay_of_a_drive(fit: LatencyFit) -> None:
    assert fit.waited_s == pytest.approx(0.015, abs=1e-3)
    assert fit.jitter_s == pytest.approx(0.009, abs=1e-3)
    after = fit.applied_to(USUAL)
    assert after.latency.delay_s == fit.delay_s + fit.waited_s
    assert after.drive == USUAL.drive


def test_a_drive_without_curves_tells_nothing() -> None:
    orders, steps = driven(ROBOT, curvature_1pm=0.0)
    # The start is not in the session, and nothing changes after.
    with pytest.raises(CalibrationError, match="with curves"):
        fit_latency(orders, steps[60:], WAITS_S, before=USUAL)


def test_a_drive_that_hardly_moves_is_told() -> None:
    orders, steps = driven(ROBOT)
    with pytest.raises(CalibrationError, match="too little motion"):
        fit_latency(orders, steps[:30], WAITS_S, before=USUAL)


def test_sessions_count_by_how_well_they_tell(fit: LatencyFit) -> None:
    rough = replace(fit, delay_s=fit.delay_s + 0.05, delay_deviation_s=10 * fit.delay_deviation_s)
    both = together([fit, rough])
    assert fit.delay_s < both.delay_s < fit.delay_s + 0.002
    assert both.delay_deviation_s < fit.delay_deviation_s
