"""Drives the loop of a drive with a relay for its steering: armed, supervised and limited as every drive is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from calibration.projection import GroundProjection
from control.errors import ConfigError, MotionError
from control.follower import LineFollower
from control.messages import Cause, SafetyState
from control.relay import RelayPilot, RelaySettings
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, drive
from robot.drive.tick import Tick
from robot.teleop.switch import Switch

_PERIODS, _LONGEST_S = 14, 25.0


def relay_pilot(config: RobotConfig, settings: RelaySettings) -> RelayPilot:
    """Raises ConfigError."""
    if config.law != "linepilot":
        raise ConfigError(f"only law=linepilot has gains that can be measured, not law={config.law}")
    far = settings.look_ahead_m
    follower = replace(
        config.follower, look_ahead_base_m=far, look_ahead_time_s=0.0,
        look_ahead_max_m=max(far, config.follower.look_ahead_max_m),
    )  # fmt: skip
    projection = GroundProjection(config.calibration.camera, config.calibration.mount)
    return RelayPilot(LineFollower(follower, to_ground=projection.ground_point, delay_s=0.0, motor_lag_s=0.0), settings)


def run_relay(
    rig: Rig,
    *,
    auto_arm: bool = True,
    interrupted: Callable[[], bool] = lambda: False,
    switches: Sequence[Switch] = (),
    tell: Callable[[str], None] = lambda _: None,
    ended: Callable[[Tick], bool] = lambda _: False,
) -> list[Tick]:
    """``rig`` has a relay for its pilot. The ticks while it was armed and at its speed, without pictures.

    ``ended``: there is no more line to drive.

    Always ends with the motors stopped. Raises MotionError, CameraError, MotorError.
    """
    pilot = rig.pilot
    assert isinstance(pilot, RelayPilot)
    kept: list[Tick] = []
    switched, side, began_s = 0, 0.0, 0.0

    def record(tick: Tick) -> bool:
        nonlocal switched, side, began_s
        command = tick.verdict.command
        at_speed = command.speed_mps >= 0.95 * pilot.settings.speed_mps
        if tick.verdict.state is SafetyState.ARMED and at_speed:
            kept.append(tick.without_picture())
            began_s = began_s or tick.now_s
            if command.curvature_1pm * side < 0:
                switched += 1
            side = command.curvature_1pm or side
        late = bool(began_s) and tick.now_s - began_s > _LONGEST_S
        return not (pilot.ran_away or late or switched > 2 * _PERIODS or ended(tick))

    causes = drive(
        rig, record, timer=CycleTimer(period_s=rig.period_s), auto_arm=auto_arm,
        interrupted=interrupted, switches=switches, tell=tell,
    )  # fmt: skip
    if pilot.ran_away:
        raise MotionError(
            "the robot turned away from the line and was stopped; a smaller --amplitude or --speed, and does the "
            "steering go the right way?"
        )
    # A line that came to its end has told all that it can.
    if causes and causes[0] is not Cause.LINE_LOST:
        raise MotionError(f"the experiment was stopped: {', '.join(cause.value for cause in causes)}")
    return kept
