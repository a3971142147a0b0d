"""Motors' numbers from orders and motion: the simulated vehicle's truth is found without any picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import cos, sin

import numpy as np
import pytest

from calibration.floor_motion import Moved
from calibration.motor_fit import MotorFit, fit_motors
from calibration.profile import Calibration, CameraMount
from calibration.rolling import Order, Step
from control.errors import CalibrationError
from control.messages import DifferentialCommand
from sim.vehicle.kinematics import Pose
from sim.vehicle.measured import measured_vehicle
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams
from sim.vehicle.vehicle import Vehicle

TRUTH = replace(
    JETBOT, left_gain=1.04, right_gain=0.97, dead_zone=0.06, lag_s=0.09, motor_delay_s=0.07, camera_delay_s=0.05,
    wheel_base_m=0.12, top_speed_mps=0.8,
)  # fmt: skip
BELIEVED = Calibration(mount=CameraMount(forward_m=0.05, yaw_rad=0.0))
TRUE_MOUNT = CameraMount(forward_m=0.07, yaw_rad=0.03)
PLAN = [
    (duty * left, duty * right)
    for duty in (0.12, 0.2, 0.3)
    for left, right in (
        (1, 1),
        (0, 0),
        (-1, -1),
        (0, 0),
        (1, 0),
        (0, 0),
        (-1, 0),
        (0, 0),
        (0, 1),
        (0, 0),
        (0, -1),
        (0, 0),
    )
]
PERIOD_S = 1 / 30


def camera_pose(pose: Pose, mount: CameraMount, believed: CameraMount) -> Pose:
    """The origin that the believed mount leads to, which is fixed to the true camera."""
    turn = pose.heading + mount.yaw_rad - believed.yaw_rad
    x = pose.x + mount.forward_m * cos(pose.heading) - believed.forward_m * cos(turn)
    y = pose.y + mount.forward_m * sin(pose.heading) - believed.forward_m * sin(turn)
    return Pose(x=x, y=y, heading=turn)


def between(first: Pose, second: Pose) -> Moved:
    c, s = cos(first.heading), sin(first.heading)
    dx, dy = second.x - first.x, second.y - first.y
    return Moved(x=c * dx + s * dy, y=c * dy - s * dx, turn=second.heading - first.heading)


def driven(
    params: VehicleParams, *, noise_m: float = 1e-4, hold_s: float = 0.5, seed: int = 0
) -> tuple[list[Order], list[Step]]:
    """As a camera at 30 pictures a second would see it."""
    rng = np.random.default_rng(seed)
    vehicle = Vehicle(params)
    orders: list[Order] = []
    looks: list[tuple[float, Pose]] = []
    for left, right in PLAN:
        orders.append(Order(at_s=vehicle.now_s, command=DifferentialCommand(left=left, right=right)))
        vehicle.command(DifferentialCommand(left=left, right=right))
        for _ in range(round(hold_s / PERIOD_S)):
            looks.append((vehicle.now_s + params.camera_delay_s, camera_pose(vehicle.pose, TRUE_MOUNT, BELIEVED.mount)))
            vehicle.advance(PERIOD_S)
    steps = []
    for (begin_s, first), (end_s, second) in pairwise(looks):
        moved = between(first, second)
        x, y, turn = rng.normal(0, (noise_m, noise_m, noise_m * 10))
        steps.append(
            Step(begin_s=begin_s, end_s=end_s, moved=Moved(x=moved.x + x, y=moved.y + y, turn=moved.turn + turn))
        )
    return orders, steps


@pytest.fixture(scope="module")
def fit() -> MotorFit:
    return fit_motors(*driven(TRUTH), before=BELIEVED)


def test_the_vehicle_s_numbers_are_found(fit: MotorFit) -> None:
    assert fit.ratio == pytest.approx(TRUTH.left_gain / TRUTH.right_gain, rel=0.005)
    assert fit.left_speed_mps == pytest.approx(TRUTH.top_speed_mps * TRUTH.left_gain, rel=0.01)
    assert fit.dead_zone == pytest.approx(TRUTH.dead_zone, abs=0.002)
    assert fit.lag_s == pytest.approx(TRUTH.lag_s, abs=0.003)
    assert fit.delay_s == pytest.approx(TRUTH.total_delay_s, abs=0.003)
    assert fit.wheel_base_m == pytest.approx(TRUTH.wheel_base_m, rel=0.01)


def test_it_is_found_where_the_camera_really_sits(fit: MotorFit) -> None:
    assert fit.forward_m == pytest.approx(TRUE_MOUNT.forward_m, abs=0.002)
    assert fit.yaw_rad == pytest.approx(TRUE_MOUNT.yaw_rad, abs=0.005)


def test_its_deviations_are_those_of_repeated_measurements() -> None:
    fits = [fit_motors(*driven(TRUTH, seed=seed, noise_m=3e-4), before=BELIEVED) for seed in range(8)]
    scatter = np.std([fit.delay_s for fit in fits])
    told = np.mean([fit.deviations["delay_s"] for fit in fits])
    assert 0.4 < scatter / told < 2.5


def test_false_matches_do_not_spoil_it() -> None:
    orders, steps = driven(TRUTH)
    for number in range(20, len(steps), 60):
        steps[number] = replace(steps[number], moved=Moved(x=0.03, y=-0.02, turn=0.2))
    fit = fit_motors(orders, steps, before=BELIEVED)
    assert fit.delay_s == pytest.approx(TRUTH.total_delay_s, abs=0.003)
    assert fit.steps < len(steps)


def test_what_is_measured_makes_the_wheels_turn_as_asked(fit: MotorFit) -> None:
    """The duty of the faster wheel is lowered: both then run at the speed that was asked for."""
    trim = fit.applied_to(BELIEVED, compute_s=0.0).drive
    for gain, true_gain in ((trim.left_gain, TRUTH.left_gain), (trim.right_gain, TRUTH.right_gain)):
        duty = trim.dead_zone + 0.3 * gain / trim.top_speed_mps * (1 - trim.dead_zone)
        speed = TRUTH.top_speed_mps * true_gain * (duty - TRUTH.dead_zone) / (1 - TRUTH.dead_zone)
        assert speed == pytest.approx(0.3, rel=0.01)


def test_the_delay_of_a_drive_contains_the_network(fit: MotorFit) -> None:
    latency = fit.applied_to(BELIEVED, compute_s=0.03).latency
    assert latency.delay_s == pytest.approx(fit.delay_s + 0.03)
    assert latency.motor_lag_s == fit.lag_s


def test_a_robot_that_hardly_moved_is_told() -> None:
    still = replace(TRUTH, top_speed_mps=1e-3)
    with pytest.raises(CalibrationError, match="too little motion"):
        fit_motors(*driven(still, noise_m=0.0), before=BELIEVED)


def test_a_robot_on_a_leash_fits_no_wheels() -> None:
    orders, steps = driven(TRUTH)
    rng = np.random.default_rng(1)
    odd = [replace(step, moved=Moved(x=float(x), y=0.0, turn=float(t))) for step, (x, t) in
           zip(steps, rng.normal(0, (0.01, 0.5), (len(steps), 2)), strict=True)]  # fmt: skip
    with pytest.raises(CalibrationError, match="does not follow the orders"):
        fit_motors(orders, odd, before=BELIEVED)


def test_the_simulator_drives_what_was_measured(fit: MotorFit) -> None:
    after = fit.applied_to(BELIEVED, compute_s=0.0)
    assert measured_vehicle(after, JETBOT) is JETBOT
    told = replace(after, measured=replace(after.measured, drive=replace(after.measured.drive, date="2026-01-31")))
    vehicle = measured_vehicle(told, JETBOT)
    assert vehicle.left_gain / vehicle.right_gain == pytest.approx(TRUTH.left_gain / TRUTH.right_gain, rel=0.005)
    assert vehicle.total_delay_s == pytest.approx(TRUTH.total_delay_s, abs=0.003)
    assert vehicle.dead_zone == fit.dead_zone
    assert measured_vehicle(told, JETRACER) is JETRACER
