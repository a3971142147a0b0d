"""From how a two-wheeled vehicle moved after known orders to its motors' numbers, its delay, the camera's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from calibration.floor_motion import Moved
from calibration.least_squares import Solution, solve
from calibration.profile import Calibration, CameraMount, DriveTrim, Latency
from control.errors import CalibrationError

Array = NDArray[np.float64]
_NAMES = ("left_speed", "right_speed", "dead_zone", "lag_s", "delay_s", "wheel_base_m", "forward_m", "yaw_rad")
_STEPS = np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4])
_TURN_M = 0.1
"""A radian of turn counts as so many metres: about how far off the picture's patch lies from the axle."""
_STRAY_TIMES = 5.0
_FEWEST = 60
_LEAST_MOVED_M = 0.05
_UNEXPLAINED = 0.35
"""Share of the motion that may be left over."""
_ADVICE = "does a wheel slip, or a cable hold the robot?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Signed duties, written at ``at_s``."""

    at_s: float
    left: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What two pictures, which arrived at these times, say about the motion between their exposures."""

    begin_s: float
    end_s: float
    moved: Moved


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
    if len(steps) < _FEWEST or sum(abs(step.moved.x) for step in steps) < _LEAST_MOVED_M:
        raise CalibrationError(
            "too little motion was seen to measure the motors; try a rougher floor, or newspaper on it"
        )
    kept = np.arange(len(steps))
    answer: Solution | None = None
    for _ in range(3):
        chosen = [steps[i] for i in kept.tolist()]
        answer = _solve(orders, chosen, before)
        away = np.abs(answer.residuals.reshape(-1, 3)).max(axis=1)
        limit = max(_STRAY_TIMES * 1.5 * float(np.median(away)), 5e-4)
        if (away <= limit).all():
            break
        kept = kept[away <= limit]
    assert answer is not None
    moved = np.array([(step.moved.x, step.moved.y, step.moved.turn * _TURN_M) for step in steps])[kept]
    if answer.rms > _UNEXPLAINED * float(np.sqrt(np.mean(moved**2))):
        raise CalibrationError(f"the motion does not follow the orders; {_ADVICE}")
    return _checked(answer, len(kept))


def _solve(orders: Sequence[Order], steps: Sequence[Step], before: Calibration) -> Solution:
    trim, latency, mount = before.drive, before.latency, before.mount
    times = np.array([step.begin_s for step in steps] + [step.end_s for step in steps])
    seen = np.array([(step.moved.x, step.moved.y, step.moved.turn) for step in steps])
    begin = np.array([order.at_s for order in orders])
    duties = np.array([(order.left, order.right) for order in orders])

    def residuals(values: Array) -> Array:
        left, right, dead, lag, delay, base, forward, yaw = values
        rolled = [
            _travel(begin, _steady(duties[:, side], speed, dead), max(lag, 1e-4), times - delay)
            for side, speed in enumerate((left, right))
        ]
        wheels = np.stack([track[len(steps) :] - track[: len(steps)] for track in rolled], axis=1)
        predicted = _as_seen(wheels.mean(axis=1), (wheels[:, 1] - wheels[:, 0]) / base, forward, yaw, mount)
        away: Array = (predicted - seen) * (1.0, 1.0, _TURN_M)
        return away.ravel()

    best: Solution | None = None
    # The delay has valleys of its own: from several starts the best one is found.
    for delay in (0.05, 0.12, 0.25):
        start = np.array([
            trim.top_speed_mps, trim.top_speed_mps, trim.dead_zone, latency.motor_lag_s, delay, trim.wheel_base_m,
            mount.forward_m, mount.yaw_rad,
        ])  # fmt: skip
        answer = solve(residuals, start, steps=_STEPS)
        if best is None or answer.rms < best.rms:
            best = answer
    assert best is not None
    return best


def _steady(duties: Array, speed: float, dead: float) -> Array:
    """The speed at which a wheel ends up; the same curve as the mixer's, which leads from speed to duty."""
    beyond = np.maximum(np.abs(duties) - dead, 0.0) / (1.0 - dead)
    curve: Array = np.sign(duties) * beyond * speed
    return curve


def _travel(begin: Array, targets: Array, lag: float, when: Array) -> Array:
    """How far a wheel has rolled at each time: a first-order lag behind targets that hold from ``begin`` on."""
    spans = np.diff(begin)
    left = np.exp(-spans / lag)
    speeds, places = np.zeros(len(begin)), np.zeros(len(begin))
    for i, span in enumerate(spans):
        gap = speeds[i] - targets[i]
        speeds[i + 1] = targets[i] + gap * left[i]
        places[i + 1] = places[i] + targets[i] * span + gap * lag * (1.0 - left[i])
    at = np.maximum(np.searchsorted(begin, when, side="right") - 1, 0)
    span = np.maximum(when - begin[at], 0.0)
    rolled: Array = places[at] + targets[at] * span + (speeds[at] - targets[at]) * lag * (1.0 - np.exp(-span / lag))
    return rolled


def _as_seen(distance: Array, turn: Array, forward: float, yaw: float, mount: CameraMount) -> Array:
    """The motion of the axle's middle as the camera sees it that believes in ``mount`` and sits at forward and yaw."""
    # The believed origin is fixed to the vehicle, at C in its true frame: it moves by C^-1 M C.
    off = yaw - mount.yaw_rad
    c, s = np.cos(off), np.sin(off)
    place = np.array([forward - c * mount.forward_m, -s * mount.forward_m])
    half = turn / 2
    x = distance * np.cos(half) + (np.cos(turn) - 1) * place[0] - np.sin(turn) * place[1]
    y = distance * np.sin(half) + np.sin(turn) * place[0] + (np.cos(turn) - 1) * place[1]
    return np.stack([c * x + s * y, c * y - s * x, turn], axis=1)


def _checked(answer: Solution, count: int) -> MotorFit:
    left, right, dead, lag, delay, base, forward, yaw = (float(v) for v in answer.values)
    if not (0.02 < left < 20 and 0.02 < right < 20 and 0.01 < base < 2 and -0.05 <= dead < 0.5 and 0 <= delay < 1.5):
        raise CalibrationError(
            f"the motion fits no two driven wheels (speeds {left:.2f} and {right:.2f} m/s, dead zone {dead:.2f}, "
            f"wheel base {base:.2f} m, delay {delay:.2f} s); {_ADVICE}"
        )
    return MotorFit(
        left_speed_mps=left, right_speed_mps=right, dead_zone=max(dead, 0.0), lag_s=max(lag, 0.0), delay_s=delay,
        wheel_base_m=base, forward_m=forward, yaw_rad=yaw,
        deviations=dict(zip(_NAMES, answer.deviations.tolist(), strict=True)), scatter_m=answer.rms, steps=count,
    )  # fmt: skip
