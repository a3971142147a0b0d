"""Builds the parts of a drive that follow from the settings: pilot, mixer, estimator."""

from __future__ import annotations

from pathlib import Path

from calibration.projection import GroundProjection
from control.follower import LineFollower
from control.laws import JetBotLaw, JetRacerLaw
from control.mixing import DifferentialMixer
from control.pilot import Pilot
from perception.engines import open_engine
from perception.estimator import Estimator
from robot.config import RobotConfig

SHIPPED_MODEL = Path(__file__).parents[2] / "perception" / "models" / "line.int8.onnx"


def make_pilot(config: RobotConfig) -> Pilot:
    if config.law == "jetbot":
        return JetBotLaw(config.jetbot)
    if config.law == "jetracer":
        return JetRacerLaw(config.jetracer)
    projection = GroundProjection(config.calibration.camera, config.calibration.mount)
    latency = config.calibration.latency
    return LineFollower(
        config.follower, to_ground=projection.ground_point, delay_s=latency.delay_s, motor_lag_s=latency.motor_lag_s
    )


def make_mixer(config: RobotConfig) -> DifferentialMixer:
    trim = config.calibration.drive
    return DifferentialMixer(
        wheel_base_m=trim.wheel_base_m, top_speed_mps=trim.top_speed_mps, dead_zone=trim.dead_zone,
        left_gain=trim.left_gain, right_gain=trim.right_gain,
    )  # fmt: skip


def open_estimator(config: RobotConfig) -> Estimator:
    """Raises ModelError when the file is missing, truncated or altered."""
    return open_engine(config.model or SHIPPED_MODEL, target=config.target, threads=config.threads)
