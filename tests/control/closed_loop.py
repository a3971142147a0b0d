"""A kinematic closed loop for tuning and golden numbers: unicycle, delay, lag, and points with chosen noise."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import cos, exp, pi, sin

import numpy as np
from numpy.typing import NDArray

from control.messages import NO_LINE, DriveCommand, LineEstimate, LinePoint
from control.mixing import DifferentialMixer, speed_of_duty
from control.pilot import Pilot

ROWS_M = (0.10, 0.12, 0.14, 0.17, 0.20, 0.24, 0.30, 0.40, 0.55, 0.80)
FRAME_S = 1.0 / 30.0
STEP_S = FRAME_S / 16
Array = NDArray[np.float64]


def half_width(forward_m: float) -> float:
    return 1.2 * forward_m + 0.03


def to_ground(x: float, y: float) -> tuple[float, float] | None:
    """Rows of the image are fixed distances ahead, as under a level camera."""
    forward = float(np.interp(1.0 - y, np.linspace(0.1, 1.2, len(ROWS_M)), ROWS_M))
    return forward, -x * half_width(forward)


def row_y(index: int) -> float:
    return 1.0 - float(np.linspace(0.1, 1.2, len(ROWS_M))[index])


def track(*turns: tuple[float, float], spacing_m: float = 0.004) -> Array:
    """(N, 3) x, y, heading of a path of (length, curvature) stretches."""
    rows = [(0.0, 0.0, 0.0)]
    for length, curvature in turns:
        n = max(1, round(length / spacing_m))
        for _ in range(n):
            x, y, h = rows[-1]
            d = length / n
            middle = h + 0.5 * curvature * d
            rows.append((x + d * cos(middle), y + d * sin(middle), h + curvature * d))
    return np.array(rows)


def arc(radius_m: float, degrees: float) -> tuple[float, float]:
    """A stretch; positive degrees turn left."""
    return abs(radius_m * degrees * pi / 180), np.sign(degrees) / radius_m


STADIUM = track((1.0, 0.0), arc(0.4, 180), (1.0, 0.0), arc(0.4, 180))
GAP = (0.3, 0.0)
TIGHT = track(
    (0.5, 0.0), arc(0.2, 180), GAP, arc(0.2, -180), GAP, arc(0.3, 90), GAP, arc(0.25, -90), (0.6, 0.0)
)  # fmt: skip
SLALOM = track((0.4, 0.0), *[arc(0.3, a) for a in (45, -90, 90, -90, 90, -90, 45)], (0.6, 0.0))
PATHS = {"stadium": STADIUM, "tight": TIGHT, "slalom": SLALOM}


@dataclass(frozen=True, kw_only=True)
class Plant:
    """The robot as it really is; the pilot is told delay and lag, not the rest."""

    camera_s: float = 0.08
    wheels_s: float = 0.04
    lag_s: float = 0.06
    left_gain: float = 1.0
    noise: float = 0.0
    """Standard deviation of every point's x, in image units."""


@dataclass(frozen=True, kw_only=True)
class Run:
    rms_m: float
    p95_m: float
    max_m: float
    mean_speed_mps: float
    completed: bool


class _Vehicle:
    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.mixer = DifferentialMixer()
        self.pose = np.zeros(3)
        self.wheels = np.zeros(2)
        self.orders: deque[tuple[float, float, float]] = deque()
        self.duty = (0.0, 0.0)

    def order(self, command: DriveCommand, now_s: float) -> bool:
        duty, limited = self.mixer.wheels(command)
        self.orders.append((now_s + self.plant.wheels_s, duty.left, duty.right))
        return limited

    def step(self, now_s: float) -> None:
        while self.orders and self.orders[0][0] <= now_s:
            _, *duty = self.orders.popleft()
            self.duty = (duty[0], duty[1])
        goal = np.array([speed_of_duty(d, top_speed_mps=0.9, dead_zone=0.04) for d in self.duty])
        goal[0] *= self.plant.left_gain
        self.wheels += (goal - self.wheels) * (1 - exp(-STEP_S / max(self.plant.lag_s, 1e-6)))
        v, w = self.wheels.mean(), (self.wheels[1] - self.wheels[0]) / 0.10
        middle = self.pose[2] + 0.5 * w * STEP_S
        self.pose += np.array([v * cos(middle), v * sin(middle), w]) * STEP_S


def look(path: Array, pose: Array, near: int, *, noise: float, rng: np.random.Generator) -> LineEstimate:
    """What a network with fixed rows would say about the path from index ``near`` on."""
    ahead = path[max(0, near - 40) : near + 350, :2] - pose[:2]
    c, s = cos(pose[2]), sin(pose[2])
    forward, left = ahead @ np.array([c, s]), ahead @ np.array([-s, c])
    points = []
    for i, row in enumerate(ROWS_M):
        crossing = np.flatnonzero((forward[:-1] < row) & (forward[1:] >= row))
        x = -left[crossing[0]] / half_width(row) if len(crossing) else 2.0
        noisy = x + noise * rng.standard_normal()
        points.append(LinePoint(x=noisy, y=row_y(i), visible=float(abs(x) < 1.0)))
    if not any(p.visible for p in points):
        return NO_LINE
    return LineEstimate(points=tuple(points), confidence=1.0)


def drive(pilot: Pilot, path: Array, *, plant: Plant | None = None, seed: int = 1, rows: slice = slice(None)) -> Run:
    """From rest at the path's start to its end, or until 15 cm off it."""
    plant = plant or Plant()
    rng = np.random.default_rng(seed)
    vehicle = _Vehicle(plant)
    near, errors, times = 0, [], 0.0
    pending: deque[tuple[float, float, LineEstimate]] = deque()
    for step in range(16 * 30 * 60):
        now = step * STEP_S
        window = path[max(0, near - 20) : near + 60, :2]
        distance = np.hypot(*(window - vehicle.pose[:2]).T)
        near = max(0, near - 20) + int(distance.argmin())
        errors.append(float(distance.min()))
        times = now
        if near >= len(path) - 100 or errors[-1] > 0.15:
            break
        if step % 16 == 0:
            seen = look(path, vehicle.pose, near, noise=plant.noise, rng=rng)
            cut = LineEstimate(points=seen.points[rows], confidence=seen.confidence)
            pending.append((now + plant.camera_s, now, cut))
        if pending and pending[0][0] <= now:
            _, exposed, estimate = pending.popleft()
            command = pilot.decide(estimate, exposed_s=exposed, now_s=now, dt_s=FRAME_S).command
            limited = vehicle.order(command, now)
            pilot.applied(command, now_s=now, was_limited=limited)
        vehicle.step(now)
    e = np.array(errors)
    return Run(
        rms_m=float(np.sqrt((e**2).mean())), p95_m=float(np.quantile(e, 0.95)), max_m=float(e.max()),
        mean_speed_mps=near * 0.004 / max(times, 1e-9), completed=near >= len(path) - 100,
    )  # fmt: skip
