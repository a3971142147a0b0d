"""The vehicle that a calibration describes: whoever measured a robot drives that one in the simulator, too."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from calibration.profile import Calibration
from sim.vehicle.params import VehicleParams


def measured_vehicle(calibration: Calibration, usual: VehicleParams) -> VehicleParams:
    """``usual`` where motors, steering and latency were never measured, and in all that is not measured."""
    measured = calibration.measured
    car = usual.drive != "differential"
    moved = measured.steering.date if car else measured.drive.date
    vehicle = usual
    if moved:
        vehicle = _measured_car(calibration, usual) if car else _measured_wheels(calibration, usual)
    if not (moved or measured.latency.date):
        return vehicle
    latency = calibration.latency
    return replace(
        vehicle, lag_s=latency.motor_lag_s, camera_delay_s=latency.camera_s,
        motor_delay_s=latency.delay_s - latency.camera_s,
    )  # fmt: skip


def _measured_wheels(calibration: Calibration, usual: VehicleParams) -> VehicleParams:
    trim = calibration.drive
    # A gain makes up for a weak motor: the wheel that needs more is the slower one.
    return replace(
        usual, wheel_base_m=trim.wheel_base_m, top_speed_mps=trim.top_speed_mps, dead_zone=trim.dead_zone,
        left_gain=1 / trim.left_gain, right_gain=1 / trim.right_gain,
    )  # fmt: skip


def _measured_car(calibration: Calibration, usual: VehicleParams) -> VehicleParams:
    trim = calibration.steering
    # At a limit of the command itself nobody has seen the linkage's stop.
    left, right = (
        trim.max_angle_rad * abs(limit - trim.center) if abs(limit) < 1 else inf
        for limit in (trim.left_limit, trim.right_limit)
    )
    return replace(
        usual, wheel_base_m=trim.wheel_base_m, top_speed_mps=trim.top_speed_mps, dead_zone=trim.dead_zone,
        max_steering_rad=trim.max_angle_rad, steering_center=trim.center, left_stop_rad=left, right_stop_rad=right,
    )  # fmt: skip
