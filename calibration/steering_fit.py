"""From how a car moved on arcs to its servo's centre, range and stops, its throttle, its delay, its camera's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import atan, tan

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import Solution, solve
from calibration.profile import Calibration, Latency
from calibration.rolling import ADVICE, TURN_M, Order, Step, as_seen, fitted, steady, travel
from control.errors import CalibrationError
from control.messages import AckermannCommand, WheelCommand

Array = NDArray[np.float64]
_NAMES = ("speed", "dead_zone", "lag_s", "delay_s", "forward_m", "yaw_rad")
_FEWEST_COMMANDS = 5
_MOST_AT_STOP = 3
"""Commands of each side that may lie beyond a stop."""
_PRICE = 1.3
"""Of each stop that is believed in: the scatter without it must be so many times larger."""
_LEAST_SCATTER_RAD = 0.002
"""Curvatures are not known better than so, as angles of the wheels: finer structure is no stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servo:
    """The line from command to angle of the wheels, and where it ends."""

    center: float
    max_angle_rad: float
    right_limit: float
    left_limit: float
    scatter_rad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringFit:
    servo: Servo
    curvatures_1pm: tuple[tuple[float, float], ...]
    """Servo command and the curvature that was driven with it, measured each for itself."""
    wheel_base_m: float
    """As it was told; it turns curvatures into angles and is not measured."""
    top_speed_mps: float
    dead_zone: float
    lag_s: float
    delay_s: float
    """From the order to the wheels and from the exposure to the picture's arrival, together."""
    forward_m: float
    yaw_rad: float
    deviations: dict[str, float]
    scatter_m: float
    steps: int

    def curvature_1pm(self, command: float) -> float:
        """As the servo's line says."""
        servo = self.servo
        inside = max(servo.right_limit, min(servo.left_limit, command))
        return tan(servo.max_angle_rad * (inside - servo.center)) / self.wheel_base_m

    @property
    def misfit_1pm(self) -> float:
        """Root mean square distance of the measured curvatures from the line."""
        away = [curvature - self.curvature_1pm(command) for command, curvature in self.curvatures_1pm]
        return float(np.sqrt(np.mean(np.square(away))))

    def applied_to(self, before: Calibration, *, compute_s: float) -> Calibration:
        """``compute_s``: from a picture's arrival to its order, which the delay of a drive contains, too."""
        servo = self.servo
        return replace(
            before,
            steering=replace(
                before.steering, max_angle_rad=servo.max_angle_rad, center=servo.center, right_limit=servo.right_limit,
                left_limit=servo.left_limit, top_speed_mps=self.top_speed_mps, dead_zone=self.dead_zone,
            ),
            latency=Latency(
                delay_s=self.delay_s + compute_s, camera_s=min(before.latency.camera_s, self.delay_s),
                motor_lag_s=self.lag_s,
            ),
            mount=replace(before.mount, forward_m=self.forward_m, yaw_rad=self.yaw_rad),
        )  # fmt: skip


def fit_steering(orders: Sequence[Order], steps: Sequence[Step], *, before: Calibration) -> SteeringFit:
    """The servo must have come to rest before each arc. ``before`` holds mount and wheel base. Raises CalibrationError.

    Each command has a curvature of its own first; the servo's line is laid through those.
    """
    commands = sorted({_car(order.command).steering for order in orders if _car(order.command).throttle != 0})
    if len(commands) < _FEWEST_COMMANDS:
        raise CalibrationError("too few steering commands were driven to measure the steering")
    answer, count = fitted(lambda chosen: _solve(orders, chosen, commands, before), steps)
    speed, dead, lag, delay, forward, yaw = (float(v) for v in answer.values[:6])
    if not (0.02 < speed < 30 and -0.05 <= dead < 0.5 and 0 <= delay < 1.5):
        raise CalibrationError(
            f"the motion fits no throttle (top speed {speed:.2f} m/s, dead zone {dead:.2f}, delay {delay:.2f} s); "
            f"{ADVICE}"
        )
    curvatures = tuple(zip(commands, answer.values[6:].tolist(), strict=True))
    servo = fit_servo(curvatures, wheel_base_m=before.steering.wheel_base_m)
    return SteeringFit(
        servo=servo, curvatures_1pm=curvatures, wheel_base_m=before.steering.wheel_base_m, top_speed_mps=speed,
        dead_zone=max(dead, 0.0), lag_s=max(lag, 0.0), delay_s=delay, forward_m=forward, yaw_rad=yaw,
        deviations=dict(zip(_NAMES, answer.deviations[:6].tolist(), strict=True)), scatter_m=answer.rms, steps=count,
    )  # fmt: skip


def fit_servo(curvatures: Sequence[tuple[float, float]], *, wheel_base_m: float) -> Servo:
    """Commands, ascending, and curvatures, 1/m. Raises CalibrationError."""
    commands = np.array([command for command, _ in curvatures])
    angles = np.array([atan(wheel_base_m * curvature) for _, curvature in curvatures])
    if angles[-1] <= angles[0]:
        raise CalibrationError(
            "the steering goes the wrong way: swap the ends of motors.servo.steering_us, and measure again"
        )
    best, price = None, np.inf
    for right, left in product(range(_MOST_AT_STOP + 1), repeat=2):
        if len(commands) - right - left < _FEWEST_COMMANDS - 2:
            continue
        servo = _with_stops(commands, angles, right=right, left=left)
        if servo is None:
            continue
        wanted = max(servo.scatter_rad, _LEAST_SCATTER_RAD) * _PRICE ** ((right > 0) + (left > 0))
        if wanted < price:
            best, price = servo, wanted
    if best is None:
        raise CalibrationError(f"the curvatures follow no servo; {ADVICE}")
    return best


def _with_stops(commands: Array, angles: Array, *, right: int, left: int) -> Servo | None:
    """The line when so many commands at each end lie beyond a stop; None when it does not lead there."""
    inner = slice(right, len(commands) - left)
    slope, offset = (float(v) for v in np.polyfit(commands[inner], angles[inner], 1))
    if slope <= 0:
        return None
    center = -offset / slope
    predicted = slope * commands + offset
    limits = [-1.0, 1.0]
    for side, beyond in ((0, slice(0, right)), (1, slice(len(commands) - left, len(commands)))):
        if beyond.stop <= beyond.start:
            continue
        stop = float(angles[beyond].mean())
        outside = predicted[beyond] < stop if side == 0 else predicted[beyond] > stop
        if not outside.all():
            return None
        predicted[beyond] = stop
        limits[side] = center + stop / slope
    if not -1 <= limits[0] < center < limits[1] <= 1:
        return None
    free = max(1, len(commands) - 2 - (right > 0) - (left > 0))
    scatter = float(np.sqrt(np.sum((predicted - angles) ** 2) / free))
    return Servo(center=center, max_angle_rad=slope, right_limit=limits[0], left_limit=limits[1], scatter_rad=scatter)


def _solve(orders: Sequence[Order], steps: Sequence[Step], commands: Sequence[float], before: Calibration) -> Solution:
    trim, latency, mount = before.steering, before.latency, before.mount
    times = np.array([step.begin_s for step in steps] + [step.end_s for step in steps])
    seen = np.array([(step.moved.x, step.moved.y, step.moved.turn) for step in steps])
    begin = np.array([order.at_s for order in orders])
    throttles = np.array([_car(order.command).throttle for order in orders])
    number = {command: i for i, command in enumerate(commands)}
    which = np.array([number.get(_car(order.command).steering, -1) for order in orders])
    count = len(steps)

    def residuals(values: Array) -> Array:
        speed, dead, lag, delay, forward, yaw = values[:6]
        targets, when = steady(throttles, speed, dead), times - delay
        rolled = travel(begin, targets, max(lag, 1e-4), when)
        # The car stands while its servo turns: between two orders it rolls with one curvature.
        at_orders = travel(begin, targets, max(lag, 1e-4), begin)
        curvature = np.where(which >= 0, values[6:][which], 0.0)
        headings = np.concatenate([[0.0], np.cumsum(curvature[:-1] * np.diff(at_orders))])
        at = np.maximum(np.searchsorted(begin, when, side="right") - 1, 0)
        heading = headings[at] + curvature[at] * (rolled - at_orders[at])
        distance, turn = rolled[count:] - rolled[:count], heading[count:] - heading[:count]
        away: Array = (as_seen(distance, turn, forward, yaw, mount) - seen) * (1.0, 1.0, TURN_M)
        return away.ravel()

    guess = [tan(trim.max_angle_rad * (command - trim.center)) / trim.wheel_base_m for command in commands]
    best: Solution | None = None
    # The delay has valleys of its own: from several starts the best one is found.
    for delay in (0.05, 0.12, 0.25):
        start = np.array([
            trim.top_speed_mps, trim.dead_zone, latency.motor_lag_s, delay, mount.forward_m, mount.yaw_rad, *guess
        ])  # fmt: skip
        answer = solve(residuals, start, steps=np.full(len(start), 1e-4))
        if best is None or answer.rms < best.rms:
            best = answer
    assert best is not None
    return best


def _car(command: WheelCommand) -> AckermannCommand:
    assert isinstance(command, AckermannCommand)
    return command
