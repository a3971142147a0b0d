"""The path that a robot later drove, projected back into each picture: a label that nobody had to click.

Motion comes from what the wheels were told and the calibration; where the floor has texture, the floor's own motion in
the pictures corrects it. Errors do not add up: only the next half metre counts for a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

from calibration.floor_motion import FloorMotion, Moved
from calibration.profile import Calibration
from calibration.projection import GroundProjection
from control.errors import CalibrationError, SessionError
from perception.look_ahead import ROWS
from robot.sessions.session_tick import Image, SessionTick

Array = NDArray[np.float64]
_STEP_S = 0.005
_REACH_M, _TURNED_RAD = 1.5, 1.2
"""A path is followed so far, and until it has turned so much: what comes after is another stretch."""
_SHORTEST_M = 0.12
_GAP_S = 0.5
_EDGE = 0.98
_STRAYED_M, _STRAYED_RAD = 0.015, 0.05
"""How far the floor's motion may be from the wheels' in one picture; more is a chance likeness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the vehicle's origin was when a picture was exposed."""

    time_s: float
    x: float
    y: float
    heading: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """``poses`` of the ticks with a picture; ``watched`` of them were corrected by the floor."""

    poses: tuple[Pose, ...]
    numbers: tuple[int, ...]
    """Index of each pose's tick."""
    watched: int


def driven(
    ticks: Sequence[SessionTick], calibration: Calibration, *, pictures: Callable[[int], Image | None] | None = None
) -> Driven:
    """``pictures`` gives that of a tick, to watch the floor; without, wheels alone tell. Raises SessionError."""
    numbers = tuple(i for i, tick in enumerate(ticks) if tick.frame_index >= 0)
    if len(numbers) < 2:
        raise SessionError("the session holds fewer than two pictures; record a longer drive")
    steps = _odometry(ticks, calibration, [ticks[i].exposed_s for i in numbers])
    watched = 0
    if pictures is not None:
        steps, watched = _watched(steps, [pictures(i) for i in numbers], calibration)
    poses = [Pose(time_s=ticks[numbers[0]].exposed_s, x=0.0, y=0.0, heading=0.0)]
    for number, moved in zip(numbers[1:], steps, strict=True):
        poses.append(_after(poses[-1], moved, time_s=ticks[number].exposed_s))
    return Driven(poses=tuple(poses), numbers=numbers, watched=watched)


def _after(pose: Pose, moved: Moved, *, time_s: float) -> Pose:
    c, s = cos(pose.heading), sin(pose.heading)
    return Pose(
        time_s=time_s, x=pose.x + c * moved.x - s * moved.y, y=pose.y + s * moved.x + c * moved.y,
        heading=pose.heading + moved.turn,
    )  # fmt: skip


def _odometry(ticks: Sequence[SessionTick], calibration: Calibration, times: Sequence[float]) -> list[Moved]:
    """Between consecutive ``times``: commands take effect after the delay, wheels follow them with their lag."""
    latency = calibration.latency
    begin, end = times[0] - 1.0, times[-1] + _STEP_S
    clock = np.arange(begin, end, _STEP_S)
    told = np.array([tick.now_s for tick in ticks]) + latency.delay_s - latency.camera_s
    which = np.searchsorted(told, clock, side="right") - 1
    commands = np.array([
        (t.verdict.command.speed_mps, t.verdict.command.speed_mps * t.verdict.command.curvature_1pm) for t in ticks
    ])  # fmt: skip
    wanted = np.where(which[:, None] >= 0, commands[np.maximum(which, 0)], 0.0)
    share = 1.0 - np.exp(-_STEP_S / max(latency.motor_lag_s, 1e-6))
    rates = np.zeros_like(wanted)
    now = np.zeros(2)
    for i, target in enumerate(wanted):
        now = now + (target - now) * share
        rates[i] = now
    heading = np.cumsum(rates[:, 1]) * _STEP_S
    x, y = (np.cumsum(rates[:, 0] * f(heading)) * _STEP_S for f in (np.cos, np.sin))
    there = [np.interp(times, clock, values) for values in (x, y, heading)]
    return [_between(*(v[i] for v in there), *(v[i + 1] for v in there)) for i in range(len(times) - 1)]


def _between(x: float, y: float, heading: float, x2: float, y2: float, heading2: float) -> Moved:
    c, s = cos(heading), sin(heading)
    dx, dy = x2 - x, y2 - y
    return Moved(x=c * dx + s * dy, y=c * dy - s * dx, turn=heading2 - heading)


def _watched(steps: list[Moved], pictures: Sequence[Image | None], calibration: Calibration) -> tuple[list[Moved], int]:
    """Steps as the floor tells them, where it does."""
    try:
        floor = FloorMotion(GroundProjection(calibration.camera, calibration.mount))
    except CalibrationError:
        # The camera sees no floor right before it; the wheels' word is all there is.
        return steps, 0
    better, watched, before = list(steps), 0, None
    for number, picture in enumerate(pictures):
        patch = None if picture is None else floor.from_above(picture)
        if patch is not None and before is not None:
            guess = steps[number - 1]
            found = floor.between(before, patch, guess=guess)
            if found is not None and _near(found, guess):
                better[number - 1] = found
                watched += 1
        before = patch
    return better, watched


def _near(found: Moved, guess: Moved) -> bool:
    return hypot(found.x - guess.x, found.y - guess.y) < _STRAYED_M and abs(found.turn - guess.turn) < _STRAYED_RAD


def path_ahead(poses: Sequence[Pose], index: int) -> Array:
    """(N, 2) floor points in the vehicle frame at ``poses[index]``, metres, of where it went then."""
    here = poses[index]
    c, s = cos(here.heading), sin(here.heading)
    points, before = [(0.0, 0.0)], here
    for pose in poses[index + 1 :]:
        dx, dy = pose.x - here.x, pose.y - here.y
        point = (c * dx + s * dy, c * dy - s * dx)
        far = hypot(*point) > _REACH_M or abs(pose.heading - here.heading) > _TURNED_RAD
        if far or pose.time_s - before.time_s > _GAP_S or point[0] < points[-1][0] - 0.01:
            break
        if hypot(point[0] - points[-1][0], point[1] - points[-1][1]) > 0.004:
            points.append(point)
        before = pose
    return np.array(points)


def image_points(path: Array, projection: GroundProjection) -> list[tuple[float, float]]:
    """Where the path crosses the look-ahead rows, near to far; [] when it is too short to say anything."""
    if len(path) < 2 or float(np.hypot(*path[-1])) < _SHORTEST_M:
        return []
    # Rows near the horizon are centimetres apart on the floor there, so that the path is drawn finely.
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    fine = np.arange(0.0, lengths[-1], 0.004)
    dense = np.column_stack([np.interp(fine, lengths, path[:, k]) for k in range(2)])
    image = projection.to_image(dense)
    image = image[np.isfinite(image).all(axis=1) & (dense[:, 0] > projection.mount.forward_m)]
    if len(image) < 2:
        return []
    order = np.argsort(-image[:, 1])
    x, y = image[order, 0], image[order, 1]
    inside = [row for row in ROWS if y[-1] <= row <= y[0]]
    found = [(float(np.interp(-row, -y, x)), row) for row in inside]
    return [point for point in found if abs(point[0]) < _EDGE]


def true_poses(ticks: Sequence[SessionTick], numbers: Sequence[int]) -> list[Pose] | None:
    """Of a simulated drive, where the robot really was at each exposure; None of a real one."""
    told = [(tick.now_s, tick.truth) for tick in ticks if tick.truth is not None]
    if len(told) < 2:
        return None
    times = [time for time, _ in told]
    values = np.array([(t.x, t.y) for _, t in told if t], np.float64)
    headings = np.unwrap([t.heading_rad for _, t in told if t])
    at = [ticks[i].exposed_s for i in numbers]
    x, y, heading = (np.interp(at, times, v) for v in (values[:, 0], values[:, 1], headings))
    return [
        Pose(time_s=t, x=float(a), y=float(b), heading=float(h)) for t, a, b, h in zip(at, x, y, heading, strict=True)
    ]


def true_line(ticks: Sequence[SessionTick], poses: Sequence[Pose]) -> list[Pose]:
    """The line beside each true pose: what the robot meant to drive on."""
    told = [(tick.now_s, tick.truth) for tick in ticks if tick.truth is not None]
    times = [time for time, _ in told]
    aside, turned = (
        np.interp([p.time_s for p in poses], times, values)
        for values in ([t.lateral_error_m for _, t in told if t], [t.heading_error_rad for _, t in told if t])
    )
    return [
        Pose(
            time_s=p.time_s, x=p.x + e * sin(p.heading - d), y=p.y - e * cos(p.heading - d), heading=p.heading - d
        ) for p, e, d in zip(poses, aside.tolist(), turned.tolist(), strict=True)
    ]  # fmt: skip


def aside_at(path: Array, forward_m: float) -> float | None:
    """How far to the left the path is so far ahead; None when it does not lead there."""
    if len(path) < 2 or path[:, 0].max() < forward_m:
        return None
    order = np.argsort(path[:, 0], kind="stable")
    return float(np.interp(forward_m, path[order, 0], path[order, 1]))
