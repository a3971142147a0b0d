"""The robot that the settings name swings along its line, in the loop of every drive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from control.relay import RelaySettings
from robot.config import RobotConfig
from robot.drive.interrupt import StopRequest
from robot.drive.pilots import open_estimator
from robot.drive.rig import open_rig
from robot.drive.tick import Tick
from robot.measuring.relay import relay_pilot, run_relay
from robot.teleop import open_switches
from robot.teleop.terminal import own_terminal


def swing_hardware(
    config: RobotConfig, settings: RelaySettings, *, interrupted: StopRequest, tell: Callable[[str], None]
) -> list[Tick]:
    """It arms as soon as it sees the line. Raises MotionError and all that devices raise."""
    pilot = relay_pilot(config, settings)
    estimator = open_estimator(config)
    switches = open_switches(config.emergency_stop, terminal=own_terminal())
    rig = replace(open_rig(config, estimator=estimator), pilot=pilot)
    return run_relay(rig, interrupted=interrupted, switches=switches, tell=tell)
