"""The robot that the settings name moves to be measured, watched by its own camera."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from calibration.floor_motion import FloorMotion
from calibration.projection import GroundProjection
from control.errors import ConfigError
from robot.cameras import open_camera
from robot.cameras.source import Camera
from robot.config import RobotConfig
from robot.drive.clock import Clock, MonotonicClock
from robot.drive.interrupt import StopRequest
from robot.drive.pilots import open_estimator, standing_command
from robot.measuring.watch import WatchedDrive
from robot.motors import open_motors
from robot.teleop import open_switches
from robot.teleop.emergency import EmergencyStop
from robot.teleop.terminal import own_terminal

_PICTURES, _PATIENCE_S = 12, 2.0


def watch_hardware(
    config: RobotConfig, trials: Callable[[WatchedDrive], None], *, interrupted: StopRequest
) -> tuple[WatchedDrive, float]:
    """And the seconds that the network takes for a picture. Raises MotionError and all that devices raise."""
    if config.camera.source.startswith("file:") or config.motors.driver in ("sim", "dry-run"):
        raise ConfigError("motors are measured with a live camera and a motor board; or simulated: camera.source=sim")
    clock = MonotonicClock()
    floor = FloorMotion(GroundProjection(config.calibration.camera, config.calibration.mount))
    switches = open_switches(config.emergency_stop, terminal=own_terminal())
    motors = open_motors(config.motors, standing=standing_command(config))
    camera = open_camera(config.camera, fps=config.fps)
    with camera, motors, EmergencyStop(switches, stop=motors.stop) as emergency:
        compute_s = _compute_s(camera, config, clock)
        emergency.driving = True

        def stopped_by() -> str:
            return "^C" if interrupted() else emergency.by

        try:
            drive = WatchedDrive(camera, motors, clock, floor, stopped_by=stopped_by)
            trials(drive)
        finally:
            motors.stop()
    return drive, compute_s


def _compute_s(camera: Camera, config: RobotConfig, clock: Clock) -> float:
    """As long as the drive's own loop will take from a picture to its order."""
    estimator = open_estimator(config)
    taken = []
    for frame in camera.frames(timeout_s=_PATIENCE_S):
        begin_s = clock.now_s()
        estimator.estimate(frame.image)
        taken.append(clock.now_s() - begin_s)
        if len(taken) == _PICTURES:
            break
    # The first ones warm up.
    return median(taken[2:]) if len(taken) > 2 else 0.0
