"""A made-up robot to measure: another one for each seed, its camera not quite where it is said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from calibration.floor_motion import FloorMotion
from calibration.motor_fit import MotorFit, fit_motors
from calibration.profile import Calibration
from calibration.projection import GroundProjection
from robot.config import RobotConfig
from robot.drive.interrupt import StopRequest
from robot.measuring.motors import run_trials
from robot.measuring.watch import WatchedDrive
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETBOT, VehicleParams
from sim.world import World

_TRACK, _ASIDE_M = "oval", 0.5
"""Inside the oval there is floor on all sides, and no line."""


def measure_simulated(
    config: RobotConfig, *, seed: int, look: str, interrupted: StopRequest, tell: Callable[[str], None]
) -> tuple[MotorFit, tuple[VehicleParams, Calibration]]:
    """What was measured, and the truth. Raises MotionError, CalibrationError."""
    believed = config.calibration
    rng = np.random.default_rng(seed)
    mount = replace(
        believed.mount, forward_m=believed.mount.forward_m + float(rng.uniform(-0.02, 0.02)),
        yaw_rad=believed.mount.yaw_rad + float(rng.uniform(-0.05, 0.05)),
    )  # fmt: skip
    true = replace(believed, mount=mount)
    world = World(find_track(_TRACK), look=look, vehicle=JETBOT, calibration=true, randomise=True)
    world.reset(seed, lateral_m=_ASIDE_M)
    drive = watch_world(world, believed, stopped_by=lambda: "^C" if interrupted() else "", tell=tell, fps=config.fps)
    return fit_motors(drive.orders, drive.steps, before=believed), (world.params, true)


def watch_world(
    world: World,
    believed: Calibration,
    *,
    stopped_by: Callable[[], str],
    tell: Callable[[str], None],
    fps: float = 30.0,
) -> WatchedDrive:
    """The trials on a simulated robot. Raises MotionError, CameraError, MotorError."""
    floor = FloorMotion(GroundProjection(believed.camera, believed.mount))
    camera, motors = SimCamera(world, fps=fps), SimMotors(world)
    with camera, motors:
        drive = WatchedDrive(camera, motors, SimClock(world), floor, stopped_by=stopped_by)
        try:
            run_trials(drive, tell=tell)
        finally:
            motors.stop()
    return drive
