"""Builds the parts of a drive that follow from the settings: pilot, mixer, estimator."""

from __future__ import annotations

from pathlib import Path

import perception
from calibration.projection import GroundProjection
from control.errors import ModelError
from control.follower import LineFollower
from control.laws import JetBotLaw, JetRacerLaw
from control.messages import STAND_STILL, WheelCommand
from control.mixing import AckermannMixer, DifferentialMixer, Mixer
from control.pilot import Pilot
from perception.engines import open_engine
from perception.estimator import Estimator
from robot.config import RobotConfig

SHIPPED_MODEL = Path(perception.__file__).with_name("models") / "line.int8.onnx"


def make_pilot(config: RobotConfig) -> Pilot:
    if config.law == "jetbot":
        return JetBotLaw(config.jetbot)
    if config.law == "jetracer":
        return JetRacerLaw(config.jetracer)
    projection = GroundProjection(config.calibration.camera, config.calibration.mount)
    # Builds the table of rays now, not within the first pass of the loop.
    projection.ground_point(0.0, 1.0)
    latency = config.calibration.latency
    return LineFollower(
        config.follower, to_ground=projection.ground_point, delay_s=latency.delay_s, motor_lag_s=latency.motor_lag_s
    )


def make_mixer(config: RobotConfig) -> Mixer:
    if config.motors.vehicle == "ackermann":
        servo = config.calibration.steering
        return AckermannMixer(
            wheel_base_m=servo.wheel_base_m, max_angle_rad=servo.max_angle_rad, center=servo.center,
            right_limit=servo.right_limit, left_limit=servo.left_limit, top_speed_mps=servo.top_speed_mps,
            dead_zone=servo.dead_zone,
        )  # fmt: skip
    trim = config.calibration.drive
    return DifferentialMixer(
        wheel_base_m=trim.wheel_base_m, top_speed_mps=trim.top_speed_mps, dead_zone=trim.dead_zone,
        left_gain=trim.left_gain, right_gain=trim.right_gain,
    )  # fmt: skip


def standing_command(config: RobotConfig) -> WheelCommand:
    """What the wheels get when nothing shall move."""
    command, _ = make_mixer(config).wheels(STAND_STILL)
    return command


def open_estimator(config: RobotConfig) -> Estimator:
    """Raises ModelError when the file is missing, truncated or altered."""
    if not config.model and not SHIPPED_MODEL.is_file():
        raise ModelError(f"{SHIPPED_MODEL}: the shipped model is missing; install again, or give model=FILE")
    return open_engine(config.model or SHIPPED_MODEL, target=config.target, threads=config.threads)
