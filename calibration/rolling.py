"""What a robot was ordered, what its camera saw of the motion, and how the one follows from the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.floor_motion import Moved
from calibration.least_squares import Solution
from calibration.profile import CameraMount
from control.errors import CalibrationError
from control.messages import WheelCommand

Array = NDArray[np.float64]
TURN_M = 0.1
"""A radian of turn counts as so many metres: about how far off the picture's patch lies from the axle."""
ADVICE = "does a wheel slip, or a cable hold the robot?"
_STRAY_TIMES = 5.0
_FEWEST = 60
_LEAST_MOVED_M = 0.05
_UNEXPLAINED = 0.35
"""Share of the motion that may be left over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command of the wheels, written at ``at_s``."""

    at_s: float
    command: WheelCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What two pictures, which arrived at these times, say about the motion between their exposures."""

    begin_s: float
    end_s: float
    moved: Moved


def fitted(solved: Callable[[Sequence[Step]], Solution], steps: Sequence[Step]) -> tuple[Solution, int]:
    """By all steps but false matches, and how many those were. Three residuals a step. Raises CalibrationError."""
    if len(steps) < _FEWEST or sum(abs(step.moved.x) for step in steps) < _LEAST_MOVED_M:
        raise CalibrationError(
            "too little motion was seen to measure the motors; try a rougher floor, or newspaper on it"
        )
    kept = np.arange(len(steps))
    answer: Solution | None = None
    for _ in range(3):
        answer = solved([steps[i] for i in kept.tolist()])
        away = np.abs(answer.residuals.reshape(-1, 3)).max(axis=1)
        limit = max(_STRAY_TIMES * 1.5 * float(np.median(away)), 5e-4)
        if (away <= limit).all():
            break
        kept = kept[away <= limit]
    assert answer is not None
    moved = np.array([(step.moved.x, step.moved.y, step.moved.turn * TURN_M) for step in steps])[kept]
    if answer.rms > _UNEXPLAINED * float(np.sqrt(np.mean(moved**2))):
        raise CalibrationError(f"the motion does not follow the orders; {ADVICE}")
    return answer, len(kept)


def steady(duties: Array, speed: float, dead: float) -> Array:
    """The speed at which a wheel ends up; the same curve as the mixer's, which leads from speed to duty."""
    beyond = np.maximum(np.abs(duties) - dead, 0.0) / (1.0 - dead)
    curve: Array = np.sign(duties) * beyond * speed
    return curve


def travel(begin: Array, targets: Array, lag: float, when: Array) -> Array:
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


def as_seen(distance: Array, turn: Array, forward: float, yaw: float, mount: CameraMount) -> Array:
    """The motion of the axle's middle as the camera sees it that believes in ``mount`` and sits at forward and yaw."""
    # The believed origin is fixed to the vehicle, at C in its true frame: it moves by C^-1 M C.
    off = yaw - mount.yaw_rad
    c, s = np.cos(off), np.sin(off)
    place = np.array([forward - c * mount.forward_m, -s * mount.forward_m])
    half = turn / 2
    x = distance * np.cos(half) + (np.cos(turn) - 1) * place[0] - np.sin(turn) * place[1]
    y = distance * np.sin(half) + np.sin(turn) * place[0] + (np.cos(turn) - 1) * place[1]
    return np.stack([c * x + s * y, c * y - s * x, turn], axis=1)
