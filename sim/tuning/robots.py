"""Robots that a calibration might be of: around what was measured, and as far as is usual in what nobody measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robot.config import RobotConfig
from sim.benchmark.robots import drawn_vehicle
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
    other = nominal.randomised(rng)
    if not config.calibration.measured.drive.date or nominal.drive != "differential":
        return other
    # The measured top speed and wheel base contain slip and understeer; the sag of the battery is in neither.
    rest = replace(other, slip=nominal.slip, understeer=nominal.understeer, camera_delay_s=nominal.camera_delay_s)
    return drawn_vehicle(nominal, config.calibration, rng=rng, deviations=_CAUTION, rest=rest)
