"""A floor bitmap in halving sizes, so that far rows read a size at which thin lines do not flicker."""

from __future__ import annotations

from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Ground, Image
from sim.vehicle.kinematics import Pose

LEVELS = 4
_SHRINK = 0.5 ** np.arange(LEVELS)[:, None, None]
_HALF_A_PIXEL = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5]])


class FloorPyramid:
    """Level n has pixels 2**n times as large. Four channels: OpenCV remaps them twice as fast as three."""

    def __init__(self, ground: Ground) -> None:
        self.metres_per_pixel = ground.metres_per_pixel
        self._left, self._bottom = ground.origin_xy
        self._last_row = ground.image.shape[0] - 1
        levels = [np.asarray(cv2.cvtColor(ground.image, cv2.COLOR_BGR2BGRA), np.uint8)]
        for _ in range(1, LEVELS):
            above = levels[-1]
            size = (max(1, above.shape[1] // 2), max(1, above.shape[0] // 2))
            # Cut an odd last row or column: then a coarse pixel is exactly four finer ones.
            whole = above[: max(1, size[1] * 2), : max(1, size[0] * 2)]
            levels.append(np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8))
        self.levels: tuple[Image, ...] = tuple(levels)
        mean = levels[-1].reshape(-1, 4).mean(axis=0)
        self.beyond: tuple[float, ...] = tuple(float(v) for v in mean)
        """B, G, R, A of the floor where the bitmap ends."""

    def matrices(self, pose: Pose) -> NDArray[np.float64]:
        """(LEVELS, 2, 3): from floor points in the vehicle frame to each level's pixel column and row."""
        scale = 1.0 / self.metres_per_pixel
        c, s = cos(pose.heading) * scale, sin(pose.heading) * scale
        column = (pose.x - self._left) * scale
        row = self._last_row - (pose.y - self._bottom) * scale
        # Pixel centres lie at whole numbers: 0.5 is added before halving and taken away after it.
        finest = np.array([[c, -s, column + 0.5], [-s, -c, row + 0.5]])
        pixels: NDArray[np.float64] = finest * _SHRINK - _HALF_A_PIXEL
        return pixels
