"""Fits a fisheye lens to views of a board: lens and all places of the board at once.

OpenCV's own fit (cv2.fisheye.calibrate) divides by the depth of each corner and loses its way on boards that reach
towards 90 degrees from the axis, which is where a board has to be held before a wide lens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.detection import View
from calibration.lens import rays_to_pixels
from calibration.profile import CameraModel

Array = NDArray[np.float64]
_ROUNDS = 60
_SETTLED = 1e-7
_LENS_STEPS = np.array([1e-3, 1e-3, 1e-3, 1e-3, 1e-6, 1e-6, 1e-6, 1e-6])
_POSE_STEP = 1e-6


def fit_fisheye(views: Sequence[View], start: CameraModel, poses: Array) -> CameraModel | None:
    """``poses`` (n, 6): rotation vector and place of the board in each view. None when it ends nowhere."""
    scene = _Scene(views, start)
    lens, damping = _numbers(start), 1e-3
    now = scene.residuals(lens, poses)
    for _ in range(_ROUNDS):
        step = scene.step(lens, poses, now, damping)
        wanted = lens + step[0], poses + step[1]
        then = scene.residuals(*wanted) if min(wanted[0][:2]) > 0 else np.full_like(now, np.inf)
        better = float(now @ now) - float(then @ then)
        if np.isfinite(better) and better >= 0:
            (lens, poses), damping = wanted, damping / 4
            settled = better <= _SETTLED * float(now @ now)
            now = then
            if settled:
                break
        elif damping > 1e10:
            break
        else:
            damping *= 6
    return _model(start, lens) if np.isfinite(lens).all() else None


def _numbers(camera: CameraModel) -> Array:
    return np.array([camera.fx, camera.fy, camera.cx, camera.cy, *camera.distortion])


def _model(camera: CameraModel, numbers: Array) -> CameraModel:
    fx, fy, cx, cy, k1, k2, k3, k4 = (float(v) for v in numbers)
    return replace(camera, fx=fx, fy=fy, cx=cx, cy=cy, distortion=(k1, k2, k3, k4))


class _Scene:
    """Slopes are differences: eight for the lens, and six that move the boards of all views at a time."""

    def __init__(self, views: Sequence[View], camera: CameraModel) -> None:
        self._camera = camera
        self._points = [view.points for view in views]
        self._pixels = np.concatenate([view.pixels for view in views])
        ends = np.cumsum([2 * len(points) for points in self._points])
        self._parts = [slice(int(end) - 2 * len(p), int(end)) for end, p in zip(ends, self._points, strict=True)]

    def residuals(self, lens: Array, poses: Array) -> Array:
        turned = [p @ cv2.Rodrigues(pose[:3])[0].T + pose[3:] for p, pose in zip(self._points, poses, strict=True)]
        away: Array = (rays_to_pixels(_model(self._camera, lens), np.concatenate(turned)) - self._pixels).ravel()
        return away

    def step(self, lens: Array, poses: Array, now: Array, damping: float) -> tuple[Array, Array]:
        """The boards are eliminated first (Schur), which leaves eight equations for the lens."""
        of_lens = np.stack(
            [(self.residuals(lens + row, poses) - now) / row.sum() for row in np.diag(_LENS_STEPS)], axis=1
        )
        of_poses = np.stack(
            [(self.residuals(lens, poses + row) - now) / _POSE_STEP for row in np.eye(6) * _POSE_STEP], axis=1
        )
        square, right = _damped(of_lens.T @ of_lens, damping), of_lens.T @ now
        boards = []
        for part in self._parts:
            mixed, own = of_lens[part].T @ of_poses[part], of_poses[part].T @ of_poses[part]
            inverse = np.linalg.pinv(_damped(own, damping))
            pull = of_poses[part].T @ now[part]
            square = square - mixed @ inverse @ mixed.T
            right = right - mixed @ inverse @ pull
            boards.append((mixed, inverse, pull))
        lens_step: Array = -np.linalg.lstsq(square, right, rcond=None)[0]
        pose_steps = [-inverse @ (pull + mixed.T @ lens_step) for mixed, inverse, pull in boards]
        return lens_step, np.array(pose_steps)


def _damped(square: Array, damping: float) -> Array:
    more: Array = square + damping * np.diag(np.diag(square))
    return more
