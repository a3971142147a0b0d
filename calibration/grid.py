"""A metre grid drawn on what the camera sees: if it lies on the floor, the calibration is right."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection

Image = NDArray[np.uint8]
_FINE_M, _COARSE_M = 0.1, 0.5
_FAR_M, _ASIDE_M = 2.0, 1.0
_POINTS = 200
_FINE, _COARSE, _AHEAD = (200, 200, 60), (0, 200, 255), (60, 60, 255)


def draw_grid(image: Image, camera: CameraModel, mount: CameraMount) -> Image:
    """A copy with lines every 0.1 m, thick and with the distance from the vehicle's origin every 0.5 m."""
    high, wide = image.shape[:2]
    canvas = image.copy() if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    projection = GroundProjection(camera, mount)
    near = mount.forward_m + 0.02
    along = np.linspace(near, _FAR_M, _POINTS)
    across = np.linspace(-_ASIDE_M, _ASIDE_M, _POINTS)

    def stroke(floor: NDArray[np.float64], step: int) -> None:
        pixels = (projection.to_image(floor) + 1) / 2 * (wide, high) - 0.5
        inside = np.isfinite(pixels).all(axis=1) & (np.abs(pixels) < 4 * max(wide, high)).all(axis=1)
        color = _AHEAD if step == 0 else _COARSE if step % 5 == 0 else _FINE
        thick = 2 if step % 5 == 0 and wide >= 400 else 1
        for run in np.split(pixels, np.flatnonzero(~inside)):
            points = np.rint(run[np.isfinite(run).all(axis=1)] * 16).astype(np.int32)
            cv2.polylines(canvas, [points[:, None]], False, color, thick, cv2.LINE_AA, shift=4)

    for step in range(round(-_ASIDE_M / _FINE_M), round(_ASIDE_M / _FINE_M) + 1):
        stroke(np.column_stack([along, np.full(_POINTS, step * _FINE_M)]), step)
    for step in range(int(near / _FINE_M) + 1, round(_FAR_M / _FINE_M) + 1):
        stroke(np.column_stack([np.full(_POINTS, step * _FINE_M), across]), step)
    # Last, or the lines farther off are drawn across the words.
    for step in (5, 10):
        _label(canvas, projection, step * _FINE_M)
    return canvas


def _label(canvas: Image, projection: GroundProjection, distance_m: float) -> None:
    high, wide = canvas.shape[:2]
    column, row = (projection.to_image(np.array([[distance_m, 0.0]]))[0] + 1) / 2 * (wide, high)
    if np.isfinite((column, row)).all() and 0 <= column < wide and 0 <= row < high:
        at = (round(column) + 4, round(row) - 3)
        size = max(0.35, wide / 1400)
        cv2.putText(canvas, f"{distance_m:g} m", at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(canvas, f"{distance_m:g} m", at, cv2.FONT_HERSHEY_SIMPLEX, size, _COARSE, 1, cv2.LINE_AA)
