"""A made-up robot to measure: another one for each seed, its camera not quite where it is said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from calibration.floor_motion import FloorMotion
from calibration.profile import Calibration
from calibration.projection import GroundProjection
from robot.config import RobotConfig
from robot.measuring.watch import WatchedDrive
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams
from sim.world import World

_TRACK, _ASIDE_M = "oval", 0.5
"""Inside the oval there is floor on all sides, and no line."""


def made_up_robot(config: RobotConfig, *, seed: int, look: str) -> tuple[World, Calibration]:
    """And its true calibration, of which camera and mount count: the camera is not quite where it is said to be."""
    believed = config.calibration
    rng = np.random.default_rng(seed)
    mount = replace(
        believed.mount, forward_m=believed.mount.forward_m + float(rng.uniform(-0.02, 0.02)),
        yaw_rad=believed.mount.yaw_rad + float(rng.uniform(-0.05, 0.05)),
    )  # fmt: skip
    true = replace(believed, mount=mount)
    car = config.motors.vehicle == "ackermann"
    vehicle = made_up_car(believed, rng) if car else JETBOT
    # A person is asked for free floor: what stands on it does not move as the floor does, and falsifies turns.
    world = World(find_track(_TRACK), look=look, vehicle=vehicle, calibration=true, randomise=not car, clutter=0)
    world.reset(seed, lateral_m=_ASIDE_M)
    return world, true


def made_up_car(believed: Calibration, rng: np.random.Generator) -> VehicleParams:
    """A JetRacer whose servo horn sits a tooth off, and whose linkage ends before the servo does, on one side or both.

    Its wheel base is what was told, which a ruler measures.
    """
    drawn = replace(JETRACER, wheel_base_m=believed.steering.wheel_base_m).randomised(rng)
    range_rad = drawn.max_steering_rad * float(rng.uniform(0.85, 1.15))
    stops = [range_rad * float(rng.uniform(0.65, 1.2)) for _ in range(2)]
    return replace(
        drawn, max_steering_rad=range_rad, steering_center=float(rng.uniform(-0.15, 0.15)), left_stop_rad=stops[0],
        right_stop_rad=stops[1],
    )  # fmt: skip


def watch_world(
    world: World,
    believed: Calibration,
    trials: Callable[[WatchedDrive], None],
    *,
    stopped_by: Callable[[], str],
    fps: float = 30.0,
) -> WatchedDrive:
    """The trials on a simulated robot. Raises MotionError, CameraError, MotorError."""
    floor = FloorMotion(GroundProjection(believed.camera, believed.mount))
    camera, motors = SimCamera(world, fps=fps), SimMotors(world)
    with camera, motors:
        drive = WatchedDrive(camera, motors, SimClock(world), floor, stopped_by=stopped_by)
        try:
            trials(drive)
        finally:
            motors.stop()
    return drive
