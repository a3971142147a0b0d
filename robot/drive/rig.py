"""Opens the hardware that the settings name, and hands over a Rig."""

from __future__ import annotations

from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.cameras import open_camera
from robot.cameras.evened import EvenedCamera
from robot.cameras.file import FileCamera
from robot.config import RobotConfig
from robot.drive.battery import cell_voltage
from robot.drive.clock import Clock, MonotonicClock
from robot.drive.health import not_measured
from robot.drive.loop import Rig
from robot.drive.pilots import make_mixer, make_pilot, standing_command
from robot.drive.thermometer import Thermometer
from robot.motors import open_motors


def open_rig(config: RobotConfig, *, estimator: Estimator) -> Rig:
    """The estimator is handed in opened, since it loads slowly and outlives a drive.

    Raises CameraError, MotorError, ConfigError.
    """
    motors = open_motors(config.motors, standing=standing_command(config))
    pilot, mixer = make_pilot(config), make_mixer(config)
    recorded = config.camera.source.startswith("file:")
    battery = not_measured if recorded else cell_voltage(config.battery, board=config.motors, motors=motors)
    camera = open_camera(config.camera, fps=config.fps)
    clock: Clock = camera if isinstance(camera, FileCamera) else MonotonicClock()
    field = config.calibration.flat_field
    # What is recorded was evened already.
    if field.is_measured and not recorded:
        camera = EvenedCamera(camera, field)
    return Rig(
        camera=camera, motors=motors, clock=clock, estimator=estimator, pilot=pilot,
        supervisor=SafetySupervisor(config.supervisor), mixer=mixer,
        # What a recording's camera delayed is not known.
        camera_delay_s=0.0 if recorded else config.calibration.latency.camera_s,
        period_s=1.0 / config.fps,
        # A recording is driven the same on a hot day and with an empty battery.
        temperature_c=not_measured if recorded else Thermometer(),
        cell_voltage_v=battery,
    )  # fmt: skip
