"""From how a two-wheeled vehicle moved after known orders to its motors' numbers, its delay, the camera's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import Solution, solve
from calibration.profile import Calibration, CameraMount, DriveTrim, Latency
from calibration.rolling import ADVICE, TURN_M, Order, Step, as_seen, fitted, steady, travel
from control.errors import CalibrationError
from control.messages import DifferentialCommand, WheelCommand

Array = NDArray[np.float64]
NAMES = ("left_speed", "right_speed", "dead_zone", "lag_s", "delay_s", "wheel_base_m", "forward_m", "yaw_rad")
_STEPS = np.full(len(NAMES), 1e-4)
DELAYS_S = (0.05, 0.12, 0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorFit:
    left_speed_mps: float
    """At full duty, as the measured duties lead there."""
    right_speed_mps: float
    dead_zone: float
    lag_s: float
    delay_s: float
    """From the order to the wheels and from the exposure to the picture's arrival, together."""
    wheel_base_m: float
    """The one that explains the turns: what slips is in it."""
    forward_m: float
    yaw_rad: float
    deviations: dict[str, float]
    scatter_m: float
    steps: int

    @property
    def ratio(self) -> float:
        """Of the left wheel's speed to the right one's."""
        return self.left_speed_mps / self.right_speed_mps

    def applied_to(self, before: Calibration, *, compute_s: float) -> Calibration:
        """``compute_s``: from a picture's arrival to its order, which the delay of a drive contains, too."""
        top = sqrt(self.left_speed_mps * self.right_speed_mps)
        delay = self.delay_s + compute_s
        return replace(
            before,
            drive=DriveTrim(
                wheel_base_m=self.wheel_base_m, top_speed_mps=top, dead_zone=self.dead_zone,
                left_gain=top / self.left_speed_mps, right_gain=top / self.right_speed_mps,
            ),
            latency=Latency(
                delay_s=delay, camera_s=min(before.latency.camera_s, self.delay_s), motor_lag_s=self.lag_s
            ),
            mount=replace(before.mount, forward_m=self.forward_m, yaw_rad=self.yaw_rad),
        )  # fmt: skip


def fit_motors(orders: Sequence[Order], steps: Sequence[Step], *, before: Calibration) -> MotorFit:
    """``before`` holds the mount through which the steps were seen. Raises CalibrationError."""
    answer, count = fitted(lambda chosen: _solve(orders, chosen, before), steps)
    return _checked(answer, count)


def _solve(orders: Sequence[Order], steps: Sequence[Step], before: Calibration) -> Solution:
    residuals = misfit(orders, steps, before.mount)
    best: Solution | None = None
    # The delay has valleys of its own: from several starts the best one is found.
    for delay in DELAYS_S:
        answer = solve(residuals, start_at(before, delay), steps=_STEPS)
        if best is None or answer.rms < best.rms:
            best = answer
    assert best is not None
    return best


def start_at(before: Calibration, delay_s: float) -> Array:
    """The values that ``before`` believes in, but for the delay; in the order of NAMES."""
    trim, mount = before.drive, before.mount
    return np.array([
        trim.top_speed_mps, trim.top_speed_mps, trim.dead_zone, before.latency.motor_lag_s, delay_s, trim.wheel_base_m,
        mount.forward_m, mount.yaw_rad,
    ])  # fmt: skip


def misfit(orders: Sequence[Order], steps: Sequence[Step], mount: CameraMount) -> Callable[[Array], Array]:
    """Of the values in the order of NAMES: three residuals a step, metres."""
    times = np.array([step.begin_s for step in steps] + [step.end_s for step in steps])
    seen = np.array([(step.moved.x, step.moved.y, step.moved.turn) for step in steps])
    begin = np.array([order.at_s for order in orders])
    duties = np.array([_sides(order.command) for order in orders])

    def residuals(values: Array) -> Array:
        left, right, dead, lag, delay, base, forward, yaw = values
        rolled = [
            travel(begin, steady(duties[:, side], speed, dead), max(lag, 1e-4), times - delay)
            for side, speed in enumerate((left, right))
        ]
        wheels = np.stack([track[len(steps) :] - track[: len(steps)] for track in rolled], axis=1)
        predicted = as_seen(wheels.mean(axis=1), (wheels[:, 1] - wheels[:, 0]) / base, forward, yaw, mount)
        away: Array = (predicted - seen) * (1.0, 1.0, TURN_M)
        return away.ravel()

    return residuals


def _sides(command: WheelCommand) -> tuple[float, float]:
    assert isinstance(command, DifferentialCommand)
    return command.left, command.right


def _checked(answer: Solution, count: int) -> MotorFit:
    left, right, dead, lag, delay, base, forward, yaw = (float(v) for v in answer.values)
    if not (0.02 < left < 20 and 0.02 < right < 20 and 0.01 < base < 2 and -0.05 <= dead < 0.5 and 0 <= delay < 1.5):
        raise CalibrationError(
            f"the motion fits no two driven wheels (speeds {left:.2f} and {right:.2f} m/s, dead zone {dead:.2f}, "
            f"wheel base {base:.2f} m, delay {delay:.2f} s); {ADVICE}"
        )
    return MotorFit(
        left_speed_mps=left, right_speed_mps=right, dead_zone=max(dead, 0.0), lag_s=max(lag, 0.0), delay_s=delay,
        wheel_base_m=base, forward_m=forward, yaw_rad=yaw,
        deviations=dict(zip(NAMES, answer.deviations.tolist(), strict=True)), scatter_m=answer.rms, steps=count,
    )  # fmt: skip
