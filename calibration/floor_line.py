"""How the camera sits above the floor, from a straight line of known width: rougher than a board, but tape is at hand.

A line tells pitch (where its edges would meet) and height (how wide it looks). It does not tell roll, which is taken
as given, and its own place, which is fitted along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import solve
from calibration.lens import pixels_to_rays
from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection, rotation_vehicle_from_camera
from control.errors import CalibrationError

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
_FEWEST_ROWS = 25
_STRAIGHT_PX = 1.5
"""How far an edge may lie from a straight line in the world."""
_TRIES = 300
_SMOOTH_PX = 1.0
_THIN_PX = 7.0
"""Blur moves the edges of a thinner line apart, and the place where they would meet."""
_ROLL_RAD, _WIDTH_SHARE, _EDGE_PX = np.radians(1.0), 0.02, 0.07
"""What is assumed and may be wrong: the roll, the width of the tape, and where a blurred edge is."""
_ADVICE = "lay one straight piece of tape ahead of the robot, on a floor of another brightness, and nothing beside it"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFit:
    mount: CameraMount
    heading_rad: float
    """Of the line, seen from the vehicle, positive to the left."""
    error_px: float
    error_at_half_m: float
    """Two standard deviations of a floor point so far before the camera, metres, with what had to be assumed."""
    error_at_1_m: float
    edges: tuple[Array, Array]
    """(n, 2) pixels of the left and of the right edge."""


def fit_line(camera: CameraModel, image: Image, *, width_m: float, before: CameraMount) -> LineFit:
    """``before`` gives roll, yaw and a first idea. Raises CalibrationError."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) if image.ndim == 3 else image
    if grey.shape != (camera.height, camera.width):
        raise CalibrationError(
            f"the picture has {grey.shape[1]}x{grey.shape[0]} pixels, but the lens was measured "
            f"at {camera.width}x{camera.height}; take it with the same settings"
        )
    left, right = _edges(grey, camera, before)
    mount, heading, error_px, covariance = _fit(camera, left, right, width_m, before)
    half, whole = _errors(camera, mount, (left, right), width_m, covariance)
    return LineFit(
        mount=mount, heading_rad=heading, error_px=error_px, error_at_half_m=half, error_at_1_m=whole,
        edges=(left, right),
    )  # fmt: skip


def _edges(grey: Image, camera: CameraModel, before: CameraMount) -> tuple[Array, Array]:
    """The pair of edges, light or dark between them, that most rows agree on."""
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTH_PX)
    slope = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), np.float64)
    horizon = GroundProjection(camera, before).to_image(np.array([[before.forward_m + 1.5, 0.0]]))
    first = int(np.clip((horizon[0, 1] + 1) / 2 * camera.height, 0, camera.height * 0.8))
    rng = np.random.default_rng(0)
    best: tuple[Array, Array] | None = None
    for sign in (1.0, -1.0):
        pairs = _pairs(sign * slope, first)
        if len(pairs) < _FEWEST_ROWS:
            continue
        sides = [_straight(camera, pairs[:, [column, 2]], rng) for column in (0, 1)]
        both = sides[0] & sides[1]
        if both.sum() >= _FEWEST_ROWS and (best is None or both.sum() > len(best[0])):
            best = pairs[both][:, [0, 2]], pairs[both][:, [1, 2]]
    if best is None:
        raise CalibrationError(f"no straight line seen on the floor; {_ADVICE}")
    return best


def _pairs(slope: Array, first: int) -> Array:
    """(n, 3) left edge, right edge and row: the steepest rise of each row and the steepest fall right of it."""
    enough = 0.35 * float(np.percentile(slope[first:].max(axis=1), 75))
    found = []
    for row in range(first, len(slope)):
        line = slope[row]
        rise = int(np.argmax(line))
        fall = rise + int(np.argmin(line[rise:]))
        if line[rise] > enough and -line[fall] > enough and fall - rise >= _THIN_PX:
            found.append((_peak(line, rise), _peak(-line, fall), float(row)))
    return np.array(found).reshape(-1, 3)


def _peak(line: Array, at: int) -> float:
    """The top of the parabola through three values."""
    if not 0 < at < len(line) - 1:
        return float(at)
    before, top, after = line[at - 1 : at + 2]
    bend = before - 2 * top + after
    return float(at + (0.5 * (before - after) / bend if abs(bend) > 1e-12 else 0.0))


def _straight(camera: CameraModel, pixels: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which pixels lie on the best straight line in the world: their rays lie in one plane."""
    rays = pixels_to_rays(camera, pixels)
    best = np.zeros(len(rays), np.bool_)
    for _ in range(_TRIES):
        one, two = rng.choice(len(rays), 2, replace=False)
        normal = np.cross(rays[one], rays[two])
        length = float(np.linalg.norm(normal))
        if length > 0.02:
            near = np.abs(rays @ normal) / length * camera.fx < _STRAIGHT_PX
            best = near if near.sum() > best.sum() else best
    return best


def _fit(
    camera: CameraModel, left: Array, right: Array, width_m: float, before: CameraMount
) -> tuple[CameraMount, float, float, Array]:
    """Mount, heading of the line, error in pixels, covariance of height and pitch."""
    level = replace(before, yaw_rad=0.0)
    rays = [pixels_to_rays(camera, edge) for edge in (left, right)]
    pitch, heading = _vanishing(rays, level)

    def residuals(values: Array) -> Array:
        mount = replace(level, height_m=max(float(values[0]), 1e-3), pitch_rad=float(values[1]))
        rotation = rotation_vehicle_from_camera(mount)
        along = np.array([np.cos(values[2]), np.sin(values[2]), 0.0])
        aside = np.array([-along[1], along[0], 0.0])
        away = []
        for seen, side in zip(rays, (0.5, -0.5), strict=True):
            normal = np.cross(aside * (values[3] + side * width_m) - (0.0, 0.0, mount.height_m), along)
            away.append((seen @ rotation.T) @ normal / np.linalg.norm(normal) * camera.fx)
        return np.concatenate(away)

    start = np.array([before.height_m, pitch, heading, 0.0])
    answer = solve(residuals, start, steps=np.array([1e-5, 1e-5, 1e-5, 1e-5]))
    height, pitch, heading = (float(v) for v in answer.values[:3])
    if not (0.01 < height < 3.0 and abs(pitch) < np.radians(85)):
        raise CalibrationError(f"the line leads to a camera {height:.2f} m high, which cannot be; {_ADVICE}")
    mount = replace(before, height_m=height, pitch_rad=pitch)
    return mount, heading, answer.rms, answer.covariance[:2, :2]


def _vanishing(rays: list[Array], level: CameraMount) -> tuple[float, float]:
    """Pitch and the line's heading, from the direction in which both edges meet; the mount's roll is known."""
    normals = [np.linalg.svd(seen)[2][2] for seen in rays]
    toward = np.cross(*normals)
    away = rotation_vehicle_from_camera(replace(level, pitch_rad=0.0)) @ toward
    away = away if away[0] > 0 else -away
    return atan2(away[2], away[0]), atan2(away[1], hypot(away[0], away[2]))


def _errors(
    camera: CameraModel, mount: CameraMount, edges: tuple[Array, Array], width_m: float, covariance: Array
) -> tuple[float, float]:
    spots = np.array([[mount.forward_m + 0.5, 0.0], [mount.forward_m + 1.0, 0.0]])
    seen = GroundProjection(camera, mount).to_image(spots)

    def off(other: CameraMount) -> Array:
        return np.asarray(np.linalg.norm(GroundProjection(camera, other).to_ground(seen) - spots, axis=1), np.float64)

    spread = np.sqrt(np.diag(covariance))
    rolled = _fit(camera, *edges, width_m, replace(mount, roll_rad=mount.roll_rad + _ROLL_RAD))[0]
    wider = _fit(camera, *edges, width_m * (1 + _WIDTH_SHARE), mount)[0]
    blurred = _fit(camera, edges[0] - (_EDGE_PX, 0.0), edges[1] + (_EDGE_PX, 0.0), width_m, mount)[0]
    higher = replace(mount, height_m=mount.height_m + float(spread[0]))
    steeper = replace(mount, pitch_rad=mount.pitch_rad + float(spread[1]))
    parts = [off(other) for other in (higher, steeper, rolled, wider, blurred)]
    half, whole = 2 * np.sqrt(np.sum(np.square(parts), axis=0))
    return float(half), float(whole)
