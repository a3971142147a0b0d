"""How the camera sits above the floor, from a board that lies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import asin, atan2

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import Board
from calibration.camera import board_pose
from calibration.detection import View
from calibration.least_squares import solve
from calibration.lens import rays_to_pixels
from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection, rotation_vehicle_from_camera
from control.errors import CalibrationError

Array = NDArray[np.float64]
_STEEPEST = np.radians(85.0)
_MOST_PX = 0.008
"""Share of the picture's width that corners may be off in the end."""
BOARD_ON_FLOOR = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
"""Board frame -> floor, when its lower edge is towards the vehicle: its right is the vehicle's right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountFit:
    mount: CameraMount
    error_px: float
    error_at_half_m: float
    """Two standard deviations of a floor point so far before the camera, metres."""
    error_at_1_m: float
    headings_rad: tuple[float, ...]
    """Of each board's upper edge, seen from the vehicle, positive to the left."""
    near_edges_m: tuple[float, ...]
    """How far before the camera's foot each board begins."""


def board_to_camera(mount: CameraMount, place: Sequence[float] | Array) -> tuple[Array, Array]:
    """Rotation and position of a board: x, y of its upper left corner before the camera's foot, and its turn left."""
    x, y, turn = (float(v) for v in place)
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    to_camera = rotation_vehicle_from_camera(mount).T
    return to_camera @ turned @ BOARD_ON_FLOOR, to_camera @ np.array([x, y, -mount.height_m])


def fit_mount(camera: CameraModel, views: Sequence[View], *, board: Board, before: CameraMount) -> MountFit:
    """Height, pitch and roll; yaw and the place on the vehicle stay as ``before``. Raises CalibrationError."""
    if not views:
        raise CalibrationError("no board seen on the floor; lay it flat before the robot, all of it in the picture")
    level = replace(before, yaw_rad=0.0)
    starts = [_place(camera, view, level) for view in views]
    height, pitch, roll = np.median([start[:3] for start in starts], axis=0)
    start = np.concatenate([[height, pitch, roll], *[place for *_, place in starts]])

    def residuals(values: Array) -> Array:
        mount = _moved(level, values)
        away = []
        for view, place in zip(views, values[3:].reshape(-1, 3), strict=True):
            rotation, position = board_to_camera(mount, place)
            away.append(rays_to_pixels(camera, view.points @ rotation.T + position) - view.pixels)
        return np.nan_to_num(np.concatenate(away), nan=1e3).ravel()

    answer = solve(residuals, start, steps=np.full(len(start), 1e-6))
    error_px = answer.rms * float(np.sqrt(2))
    if error_px > _MOST_PX * camera.width:
        raise CalibrationError(
            f"the board fits no flat floor ({error_px:.1f} px off); is it flat, is it the right board, "
            "and is the lens measured with this camera and size?"
        )
    mount = replace(_moved(level, answer.values), yaw_rad=before.yaw_rad)
    half, whole = floor_errors(camera, mount, answer.covariance[:3, :3])
    places = answer.values[3:].reshape(-1, 3)
    return MountFit(
        mount=mount, error_px=error_px, error_at_half_m=half, error_at_1_m=whole,
        headings_rad=tuple(float(place[2]) for place in places),
        near_edges_m=tuple(_near_edge(place, board) for place in places),
    )  # fmt: skip


def _moved(level: CameraMount, values: Array) -> CameraMount:
    height, pitch, roll = (float(v) for v in values[:3])
    return replace(level, height_m=max(height, 1e-3), pitch_rad=pitch, roll_rad=roll)


def _place(camera: CameraModel, view: View, level: CameraMount) -> tuple[float, float, float, Array]:
    """Height, pitch and roll from one view alone, and where the board lies then."""
    pose, _ = board_pose(camera, view)
    rotation, position = np.asarray(cv2.Rodrigues(pose[:3])[0], np.float64), pose[3:]
    up = -rotation[:, 2]
    # The camera's axes as the vehicle's are named: forward, left, up.
    forward, left, above = float(up[2]), float(-up[0]), float(-up[1])
    height, pitch, roll = float(-up @ position), -asin(max(-1.0, min(1.0, forward))), atan2(left, above)
    if height <= 0 or abs(pitch) > _STEEPEST or abs(roll) > 1.0:
        raise CalibrationError(
            f"{view.name}: the board is no floor before the robot (height {height:.2f} m, "
            f"pitch {np.degrees(pitch):.0f} degrees); lay it flat, its printed side up"
        )
    to_vehicle = rotation_vehicle_from_camera(replace(level, height_m=height, pitch_rad=pitch, roll_rad=roll))
    spot, ahead = to_vehicle @ position, to_vehicle @ -rotation[:, 1]
    return height, pitch, roll, np.array([spot[0], spot[1], atan2(ahead[1], ahead[0])])


def _near_edge(place: Array, board: Board) -> float:
    """Smallest x of the board's outline."""
    wide, high = (side / 1000 for side in board.size_mm)
    corners = np.array([[0, 0, 0], [wide, 0, 0], [0, high, 0], [wide, high, 0]]) @ BOARD_ON_FLOOR.T
    c, s = np.cos(place[2]), np.sin(place[2])
    return float((place[0] + corners[:, 0] * c - corners[:, 1] * s).min())


def floor_errors(camera: CameraModel, mount: CameraMount, covariance: Array) -> tuple[float, float]:
    """Two standard deviations of floor points 0.5 m and 1 m before the camera, for (height, pitch, roll)."""
    spots = np.array([[mount.forward_m + 0.5, 0.0], [mount.forward_m + 1.0, 0.0]])
    seen = GroundProjection(camera, mount).to_image(spots)

    def found(values: Array) -> Array:
        return GroundProjection(camera, _moved(mount, values)).to_ground(seen)

    here = np.array([mount.height_m, mount.pitch_rad, mount.roll_rad])
    slopes = np.stack([(found(here + step) - spots) / 1e-5 for step in np.eye(3) * 1e-5], axis=-1)
    half, whole = (2 * float(np.sqrt(np.trace(slope @ covariance @ slope.T))) for slope in slopes)
    return half, whole
