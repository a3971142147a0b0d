"""Robots that a calibration might be of: around what was measured, and as far as is usual in what nobody measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robot.config import RobotConfig
from sim.vehicle.measured import measured_vehicle
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams

_CAUTION = 2.0
"""Deviations are told by fits that take their model for true: robots may be so many of them off."""


def likely_robots(config: RobotConfig, count: int, *, rng: np.random.Generator) -> list[VehicleParams]:
    """The first is as measured, the others are drawn; never measured, they are of the usual make."""
    usual = JETRACER if config.motors.vehicle == "ackermann" else JETBOT
    nominal = measured_vehicle(config.calibration, usual)
    return [nominal, *(_drawn(nominal, config, rng) for _ in range(count - 1))]


def _drawn(nominal: VehicleParams, config: RobotConfig, rng: np.random.Generator) -> VehicleParams:
    known = config.calibration.measured.drive
    other = nominal.randomised(rng)
    if not known.date or nominal.drive != "differential":
        return other

    def near(value: float, deviation: float) -> float:
        return max(0.0, value + _CAUTION * deviation * float(rng.standard_normal()))

    unequal = _CAUTION * known.ratio * float(rng.standard_normal()) / 2
    # The measured top speed and wheel base contain slip and understeer; the sag of the battery is in neither.
    return replace(
        other, slip=nominal.slip, understeer=nominal.understeer,
        top_speed_mps=near(nominal.top_speed_mps, known.speed * nominal.top_speed_mps),
        dead_zone=min(0.5, near(nominal.dead_zone, known.dead_zone)),
        left_gain=nominal.left_gain * (1 + unequal), right_gain=nominal.right_gain * (1 - unequal),
        wheel_base_m=near(nominal.wheel_base_m, known.wheel_base_m),
        lag_s=near(nominal.lag_s, known.lag_s), camera_delay_s=nominal.camera_delay_s,
        motor_delay_s=near(nominal.motor_delay_s, known.delay_s),
    )  # fmt: skip
