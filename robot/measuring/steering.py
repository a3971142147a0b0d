"""The drive that measures a car: short arcs ahead and back, each with its servo at rest, watched all the time."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot

import numpy as np

from calibration.floor_motion import Moved
from control.errors import MotionError
from control.messages import AckermannCommand
from robot.measuring.motors import refuse_drift
from robot.measuring.watch import WatchedDrive
from robot.measuring.wiring import moves

_REST_S, _SERVO_S = 0.5, 0.5
_FIRST, _MORE, _LAST, _NUDGE_S = 0.04, 0.02, 0.5, 0.25
_FAST_MPS, _MOST_LEVELS = 0.35, 6
"""Throttle is raised until the car is so fast: fast enough to tell its speeds apart, slow for its camera."""
_STEP_M, _LONGEST_S = 0.2, 0.9
COMMANDS = (0.0, 0.5, -0.5, 1.0, -1.0, 0.25, -0.25, 0.75, -0.75, 0.88, -0.88)
"""To the left and to the right by turns, so that the car stays where it is."""
_LEAST_TURN_RAD = 0.05
_CAME_BACK = 0.3


def run_arcs(drive: WatchedDrive, *, tell: Callable[[str], None]) -> None:
    """Leaves what it did and saw in ``drive``. Raises MotionError, CameraError, MotorError."""
    drive.standing = AckermannCommand()
    tell("standing still")
    refuse_drift(drive)
    tell("which throttle moves it, and which way")
    levels = _find_throttle(drive)
    throttle, speed_mps = levels[-1]
    for level, mps in levels[:-1]:
        tell(f"straight, {level * 100:.0f} % ahead and back")
        _there_and_back(drive, level, mps)
    turns: dict[float, float] = {}
    for command in COMMANDS:
        tell(f"steering {command:+.2f}, {throttle * 100:.0f} % ahead and back")
        drive.standing = AckermannCommand(steering=command)
        drive.rest(_SERVO_S)
        turns[command] = _there_and_back(drive, throttle, speed_mps).turn
        if command == -COMMANDS[1]:
            _refuse_wrong_steering(left=turns[COMMANDS[1]], right=turns[command])
    drive.standing = AckermannCommand()
    drive.rest(_REST_S)


def _find_throttle(drive: WatchedDrive) -> list[tuple[float, float]]:
    """Throttles that move the car, and how fast each does, up to one that is fast enough to measure by."""
    levels: list[tuple[float, float]] = []
    for throttle in np.arange(_FIRST, _LAST, _MORE).tolist():
        begin, seen = drive.pose, len(drive.steps)
        drive.hold(AckermannCommand(throttle=throttle), _NUDGE_S)
        drive.rest(_REST_S)
        ahead = _ahead(drive, begin.x, begin.y, begin.heading)
        if not moves(Moved(x=ahead)):
            continue
        if ahead < 0:
            raise MotionError("the robot went back when told to go ahead; swap the two wires of the motor, or the ends "
                              "of motors.servo.throttle_us")  # fmt: skip
        fastest = _fastest(drive, seen)
        levels.append((throttle, fastest))
        _back(drive, throttle, _NUDGE_S, ahead)
        if fastest > _FAST_MPS or len(levels) == _MOST_LEVELS:
            return levels
    if not levels:
        raise MotionError(
            f"nothing moved with a throttle of up to {_LAST * 100:.0f} %; look at the motor's supply, at the speed "
            "controller (armed?) and at linepilot motors test"
        )
    return levels


def _there_and_back(drive: WatchedDrive, throttle: float, speed_mps: float) -> Moved:
    """What was driven ahead."""
    seconds = float(np.clip(_STEP_M / max(speed_mps, 1e-3), 0.25, _LONGEST_S))
    steering = drive.standing.steering if isinstance(drive.standing, AckermannCommand) else 0.0
    begin = drive.pose
    drive.hold(AckermannCommand(steering=steering, throttle=throttle), seconds)
    drive.rest(_REST_S)
    turn, ahead = drive.pose.heading - begin.heading, _ahead(drive, begin.x, begin.y, begin.heading)
    _back(drive, throttle, seconds, hypot(drive.pose.x - begin.x, drive.pose.y - begin.y))
    return Moved(x=ahead, turn=turn)


def _back(drive: WatchedDrive, throttle: float, seconds: float, distance_m: float) -> None:
    steering = drive.standing.steering if isinstance(drive.standing, AckermannCommand) else 0.0
    begin = drive.pose
    drive.hold(AckermannCommand(steering=steering, throttle=-throttle), seconds)
    drive.rest(_REST_S)
    if hypot(drive.pose.x - begin.x, drive.pose.y - begin.y) < _CAME_BACK * distance_m:
        raise MotionError(
            "the robot does not drive back: many speed controllers brake first; set yours to reverse without a brake, "
            "as its manual says, and begin again"
        )


def _refuse_wrong_steering(*, left: float, right: float) -> None:
    """Of arcs ahead. Raises MotionError."""
    if max(abs(left), abs(right)) < _LEAST_TURN_RAD or abs(left - right) < _LEAST_TURN_RAD:
        raise MotionError("the robot drove the same way whatever its servo was told; is the servo connected and fed?")
    if left < right:
        raise MotionError("the steering goes the wrong way: swap the ends of motors.servo.steering_us, and begin again")


def _ahead(drive: WatchedDrive, x: float, y: float, heading: float) -> float:
    return float((drive.pose.x - x) * np.cos(heading) + (drive.pose.y - y) * np.sin(heading))


def _fastest(drive: WatchedDrive, first: int) -> float:
    """Between consecutive pictures, from step ``first`` on; steps are told since a key, so that pairs are compared."""
    fastest = 0.0
    for before, after in zip(drive.steps[first:], drive.steps[first + 1 :], strict=False):
        if before.begin_s == after.begin_s:
            seconds = max(after.end_s - before.end_s, 1e-3)
            fastest = max(fastest, abs(after.moved.x - before.moved.x) / seconds)
    return fastest
