"""Between image points and the floor: the one place where the image frame meets the vehicle frame."""

from __future__ import annotations

from functools import cached_property
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from calibration.lens import pixels_to_rays, rays_to_pixels
from calibration.profile import CameraModel, CameraMount

Array = NDArray[np.float64]
_TABLE = 129
"""Nodes a side of the table of rays."""


def rotation_vehicle_from_camera(mount: CameraMount) -> Array:
    """(3, 3) rotation; camera frame as in OpenCV: x right, y down, z along the optical axis."""
    upright = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    yaw, pitch, roll = mount.yaw_rad, mount.pitch_rad, mount.roll_rad
    about_z = np.array([[cos(yaw), -sin(yaw), 0], [sin(yaw), cos(yaw), 0], [0, 0, 1]])
    about_y = np.array([[cos(pitch), 0, sin(pitch)], [0, 1, 0], [-sin(pitch), 0, cos(pitch)]])
    about_x = np.array([[1, 0, 0], [0, cos(roll), -sin(roll)], [0, sin(roll), cos(roll)]])
    product: Array = about_z @ about_y @ about_x @ upright
    return product


class GroundProjection:
    """Image points [-1, 1] <-> floor points (vehicle frame, metres) for one lens on one mount."""

    def __init__(self, camera: CameraModel, mount: CameraMount) -> None:
        self.camera = camera
        self.mount = mount
        self._rotation = rotation_vehicle_from_camera(mount)
        self._position = np.array([mount.forward_m, 0.0, mount.height_m])

    def pixels_to_points(self, pixels: Array) -> Array:
        """(N, 2) pixel centres -> image points; the outer edges of the picture are -1 and 1."""
        size = np.array([self.camera.width, self.camera.height], dtype=np.float64)
        points: Array = (pixels + 0.5) / size * 2.0 - 1.0
        return points

    def points_to_pixels(self, points: Array) -> Array:
        size = np.array([self.camera.width, self.camera.height], dtype=np.float64)
        pixels: Array = (points + 1.0) * 0.5 * size - 0.5
        return pixels

    def rays(self, points: Array) -> Array:
        """(N, 2) image points -> (N, 3) unit rays in the vehicle frame."""
        rays: Array = pixels_to_rays(self.camera, self.points_to_pixels(points)) @ self._rotation.T
        return rays

    def to_ground(self, points: Array) -> Array:
        """(N, 2) image points -> (N, 2) floor points; NaN where the ray does not meet the floor."""
        rays = self.rays(np.asarray(points, dtype=np.float64))
        down = -rays[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(down > 1e-4, self._position[2] / down, np.nan)
        ground: Array = self._position[:2] + rays[:, :2] * reach[:, None]
        return ground

    def to_image(self, ground: Array) -> Array:
        """(N, 2) floor points -> (N, 2) image points; NaN behind a pinhole camera."""
        floor = np.column_stack([np.asarray(ground, dtype=np.float64), np.zeros(len(ground))])
        rays = (floor - self._position) @ self._rotation
        return self.pixels_to_points(rays_to_pixels(self.camera, rays))

    def world_to_image(self, points: Array) -> Array:
        """(N, 3) points in the vehicle frame -> (N, 2) image points."""
        rays = (np.asarray(points, dtype=np.float64) - self._position) @ self._rotation
        return self.pixels_to_points(rays_to_pixels(self.camera, rays))

    def ground_point(self, x: float, y: float) -> tuple[float, float] | None:
        """One image point -> (forward, left) in metres, or None above the horizon.

        Rays are looked up in a table and interpolated: called a dozen times a frame, this costs microseconds where
        the exact inverse of the lens costs a tenth of a millisecond. Rays bend slowly, so the table is good to
        micrometres near the vehicle; floor points would not be, towards the horizon.
        """
        if not (-1.0 <= x <= 1.0 and -1.0 <= y <= 1.0):
            exact = self.to_ground(np.array([[x, y]]))[0]
            return None if not np.isfinite(exact[0]) else (float(exact[0]), float(exact[1]))
        column, row = (x + 1.0) * 0.5 * (_TABLE - 1), (y + 1.0) * 0.5 * (_TABLE - 1)
        i, j = min(int(row), _TABLE - 2), min(int(column), _TABLE - 2)
        v, u = row - i, column - j
        a, b, c, d = self._table[i][j], self._table[i][j + 1], self._table[i + 1][j], self._table[i + 1][j + 1]
        weights = ((1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u)
        forward, left, up = (
            weights[0] * a[k] + weights[1] * b[k] + weights[2] * c[k] + weights[3] * d[k] for k in range(3)
        )
        if up >= -1e-4:
            return None
        reach = self.mount.height_m / -up
        return self.mount.forward_m + forward * reach, left * reach

    @cached_property
    def _table(self) -> list[list[list[float]]]:
        """Rays at a grid of image points, as plain numbers."""
        axis = np.linspace(-1, 1, _TABLE)
        nodes = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        table: list[list[list[float]]] = self.rays(nodes).reshape(_TABLE, _TABLE, 3).tolist()
        return table
