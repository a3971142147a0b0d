"""The drive that measures the motors: short steps ahead and back, within a square metre, watched all the time."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot

import numpy as np

from calibration.floor_motion import Moved
from control.errors import MotionError
from control.messages import DifferentialCommand
from robot.measuring.watch import WatchedDrive
from robot.measuring.wiring import moves, refuse_wrong_wires

_REST_S = 0.5
_FIRST_DUTY, _DUTY_STEP, _NUDGE_S, _LAST_DUTY = 0.08, 0.03, 0.25, 0.5
_ABOVE = (0.05, 0.1, 0.16, 0.24)
"""Duties of the steps, above the one at which the wheels begin to turn."""
_STEP_S, _STEP_M = 0.7, 0.2
_FEWEST_STANDING = 8


def run_trials(drive: WatchedDrive, *, tell: Callable[[str], None]) -> None:
    """Leaves what it did and saw in ``drive``. Raises MotionError, CameraError, MotorError."""
    tell("standing still")
    refuse_drift(drive)
    tell("which wheel turns, and which way")
    duty = _find_wheels(drive)
    for above in _ABOVE:
        step = min(duty + above, 0.9)
        tell(f"both wheels, {step * 100:.0f} % ahead and back")
        _there_and_back(drive, step, step)
    for step in (duty + _ABOVE[1], duty + _ABOVE[2]):
        tell(f"each wheel alone, {step * 100:.0f} % ahead and back")
        _there_and_back(drive, step, 0.0)
        _there_and_back(drive, 0.0, step)
    drive.rest(_REST_S)


def refuse_drift(drive: WatchedDrive) -> None:
    drive.rest(_REST_S + 0.4)
    still = drive.steps[-_FEWEST_STANDING:]
    away = [hypot(step.moved.x, step.moved.y) for step in still]
    if len(still) < _FEWEST_STANDING or max(away) > 0.002:
        raise MotionError(
            "the standing robot seems to move: the floor is too plain to be followed, or the light flickers; "
            "spread a newspaper before the robot"
        )


def _find_wheels(drive: WatchedDrive) -> float:
    """The duty at which a wheel turns well enough to tell which one it is."""
    seen, duties = [], []
    for side in (0, 1):
        moved, duty = _nudge(drive, side)
        seen.append(moved)
        duties.append(duty)
        back = _one_wheel(side, -duty)
        drive.hold(back, _NUDGE_S)
        drive.rest(_REST_S)
    refuse_wrong_wires(*seen)
    return max(duties)


def _one_wheel(side: int, duty: float) -> DifferentialCommand:
    return DifferentialCommand(left=duty if side == 0 else 0.0, right=duty if side == 1 else 0.0)


def _nudge(drive: WatchedDrive, side: int) -> tuple[Moved, float]:
    """Harder and harder, until the robot moves."""
    name = ("left", "right")[side]
    for duty in np.arange(_FIRST_DUTY, _LAST_DUTY, _DUTY_STEP).tolist():
        begin = drive.hold(_one_wheel(side, duty), _NUDGE_S)
        rest = drive.rest(_REST_S)
        moved = Moved(x=begin.x + rest.x, y=begin.y + rest.y, turn=begin.turn + rest.turn)
        if moves(moved):
            return moved, duty
    raise MotionError(
        f"nothing moved when the {name} wheel was driven with up to {_LAST_DUTY * 100:.0f} %; "
        "look at the motors' supply and at linepilot motors test"
    )


def _there_and_back(drive: WatchedDrive, left: float, right: float) -> None:
    begin = drive.pose
    drive.hold(DifferentialCommand(left=left, right=right), _seconds(drive, max(left, right)))
    drive.rest(_REST_S)
    there = drive.pose
    drive.hold(DifferentialCommand(left=-left, right=-right), _seconds(drive, max(left, right)))
    drive.rest(_REST_S)
    ahead = (there.x - begin.x) * np.cos(begin.heading) + (there.y - begin.y) * np.sin(begin.heading)
    if ahead <= 0 and hypot(there.x - begin.x, there.y - begin.y) > 0.01:
        raise MotionError("the robot went back when told to go ahead; a wheel turns the other way round than before")


def _seconds(drive: WatchedDrive, duty: float) -> float:
    """So long that no more than _STEP_M are driven at the speed that was seen so far, per duty."""
    fastest = 0.0
    for step in drive.steps:
        fastest = max(fastest, abs(step.moved.x) / max(step.end_s - step.begin_s, 1e-3))
    commands = [order.command for order in drive.orders if isinstance(order.command, DifferentialCommand)]
    hardest = max((max(abs(command.left), abs(command.right)) for command in commands), default=duty)
    speed = fastest * (duty / hardest if hardest > 0 else 1.0)
    return float(np.clip(_STEP_M / max(speed, 1e-3), 0.25, _STEP_S))
