"""Robots that a calibration might just as well describe: drawn from how well each number is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration.profile import Calibration, CameraMount, Latency
from sim.vehicle.params import VehicleParams

_HALF_M = 0.5
"""Where ``error_at_half_m`` was told."""
_TWO_SIGMA = 2.0


def drawn_vehicle(
    nominal: VehicleParams,
    calibration: Calibration,
    *,
    rng: np.random.Generator,
    deviations: float = 1.0,
    rest: VehicleParams | None = None,
) -> VehicleParams:
    """Around what was measured, by its standard deviations; never measured, around the usual robot of that make.

    ``rest`` says what the calibration does not tell; None is as nominal.
    """
    known = calibration.measured.drive
    if not known.date or nominal.drive != "differential":
        return nominal.randomised(rng)

    def near(value: float, deviation: float, *, least: float = 0.0) -> float:
        return max(least, value + deviations * deviation * float(rng.standard_normal()))

    unequal = deviations * known.ratio * float(rng.standard_normal()) / 2
    return replace(
        rest or nominal,
        top_speed_mps=near(nominal.top_speed_mps, known.speed * nominal.top_speed_mps, least=0.05),
        left_gain=nominal.left_gain * (1 + unequal), right_gain=nominal.right_gain * (1 - unequal),
        dead_zone=min(0.5, near(nominal.dead_zone, known.dead_zone)),
        wheel_base_m=near(nominal.wheel_base_m, known.wheel_base_m, least=0.01),
        lag_s=near(nominal.lag_s, known.lag_s), motor_delay_s=near(nominal.motor_delay_s, known.delay_s),
    )  # fmt: skip


def drawn_mount(mount: CameraMount, calibration: Calibration, *, rng: np.random.Generator) -> CameraMount:
    """Pitched otherwise, so that a floor point half a metre ahead is off as far as the calibration says it may be."""
    error_m = calibration.measured.mount.error_at_half_m / _TWO_SIGMA
    # A ray that meets the floor at x from height h moves by (h^2 + x^2) / h for each radian.
    slope = (mount.height_m**2 + _HALF_M**2) / mount.height_m
    return replace(mount, pitch_rad=mount.pitch_rad + error_m / slope * float(rng.standard_normal()))


def with_delay(calibration: Calibration, delay_s: float) -> Calibration:
    """A calibration that has measured this delay from exposure to wheels."""
    latency = calibration.latency
    camera_s = min(latency.camera_s, delay_s)
    return replace(
        calibration, latency=Latency(delay_s=delay_s, camera_s=camera_s, motor_lag_s=latency.motor_lag_s)
    )  # fmt: skip
