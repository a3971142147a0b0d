"""One camera over a floor bitmap: each pixel's floor point is known once, a frame is one transform and one remap."""

from __future__ import annotations

from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.projection import GroundProjection
from sim.render.ground import Ground, Image
from sim.vehicle.kinematics import Pose

_FAR_M = 6.0
_NO_MAP = np.empty((0, 0), np.float32)
"""The first map holds both coordinates."""


class FloorView:
    """(H, W, 2) float32 floor points in the vehicle frame; what lies above the horizon or far away shows a backdrop."""

    def __init__(self, projection: GroundProjection, backdrop: Image) -> None:
        camera = projection.camera
        columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        pixels = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
        floor = projection.to_ground(projection.pixels_to_points(pixels)).reshape(camera.height, camera.width, 2)
        away = np.hypot(floor[..., 0], floor[..., 1])
        seen = np.isfinite(away) & (away < _FAR_M)
        first = int(np.argmax(seen.any(axis=1)))
        self._first_row = first
        self._points: NDArray[np.float32] = np.where(seen[..., None], floor, 1e6).astype(np.float32)[first:]
        self._hidden = ~seen[first:]
        self._backdrop = backdrop

    def render(self, ground: Ground, pose: Pose) -> Image:
        """(H, W, 3) uint8 BGR: what the camera sees from ``pose`` (world frame)."""
        scale, (ox, oy) = 1.0 / ground.metres_per_pixel, ground.origin_xy
        c, s, bottom = cos(pose.heading) * scale, sin(pose.heading) * scale, ground.image.shape[0] - 1
        matrix = np.array([[c, -s, (pose.x - ox) * scale], [-s, -c, bottom - (pose.y - oy) * scale]])
        where = np.asarray(cv2.transform(self._points, matrix), np.float32)
        image: Image = self._backdrop.copy()
        floor = image[self._first_row :]
        # Pixels that look past the bitmap, or at no floor at all, keep the backdrop.
        cv2.remap(ground.image, where, _NO_MAP, cv2.INTER_LINEAR, floor, cv2.BORDER_TRANSPARENT)
        return image
