"""How the vehicle moved between two pictures, from the floor's own texture seen as if from above."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.projection import GroundProjection
from control.errors import CalibrationError

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
_PIXEL_M = 0.002
_NEAR_M, _DEPTH_M, _HALF_WIDTH_M = 0.06, 0.28, 0.14
"""The patch of floor before the camera that is looked at."""
_FEWEST_SEEN = 0.6
"""Share of the patch that must be in the picture."""
_HIGH_PASS = 8.0
"""Pixels: brightness that changes more slowly is the lens's or a lamp's, and stays where it is when the floor moves."""
_SETTLE = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-5)
_AGREES = 0.6
"""Correlation of two pictures from which on their motion is believed."""
_TURNS_RAD = (0.0, 0.05, -0.05, 0.1, -0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Of the vehicle's origin, in its frame at the first picture: metres forward and left, radians to the left."""

    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0


STILL = Moved()


class FloorMotion:
    """For one lens on one mount."""

    def __init__(self, projection: GroundProjection) -> None:
        near = projection.mount.forward_m + _NEAR_M
        self._far, self._left = near + _DEPTH_M, _HALF_WIDTH_M
        forward = np.arange(self._far, near, -_PIXEL_M)
        aside = np.arange(self._left, -self._left, -_PIXEL_M)
        floor = np.stack(np.meshgrid(forward, aside, indexing="ij"), axis=-1)
        points = projection.to_image(floor.reshape(-1, 2))
        seen = np.isfinite(points).all(axis=1) & (np.abs(points) < 1.0).all(axis=1)
        if seen.mean() < _FEWEST_SEEN:
            raise CalibrationError(
                "the camera sees too little of the floor right before the robot; tilt it down, "
                "or measure its mount with: linepilot calibrate ground"
            )
        pixels = projection.points_to_pixels(np.nan_to_num(points, nan=-9.0)).reshape(*floor.shape)
        self._map = pixels.astype(np.float32)
        self._mask = np.asarray(seen.reshape(floor.shape[:2]) * 255, np.uint8)
        self._size = (projection.camera.width, projection.camera.height)

    def from_above(self, image: NDArray[np.uint8]) -> Floats:
        """The patch of floor without slow changes of brightness. Raises CalibrationError."""
        if image.shape[1::-1] != self._size:
            raise CalibrationError(
                f"the camera gives {image.shape[1]}x{image.shape[0]} pixels, but its lens was measured at "
                f"{self._size[0]}x{self._size[1]}; set camera.width and camera.height"
            )
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        patch = cv2.remap(grey, self._map, None, cv2.INTER_LINEAR).astype(np.float32)  # type: ignore[call-overload]
        return np.asarray(patch - cv2.GaussianBlur(patch, (0, 0), _HIGH_PASS), np.float32)

    def contrast(self, patch: Floats) -> float:
        """Of the floor's texture, in grey levels."""
        return float(patch[self._mask > 0].std())

    def between(self, first: Floats, second: Floats, *, guess: Moved = STILL) -> Moved | None:
        """None when the two do not match anywhere near."""
        best, agreement = None, _AGREES
        for start in self._starts(first, second, guess):
            try:
                # Maps the first patch's pixels to the second's; refined over all of the patch.
                likeness, warp = cv2.findTransformECC(
                    first, second, start, cv2.MOTION_EUCLIDEAN, _SETTLE, self._mask, 5
                )
            except cv2.error:
                # OpenCV's way to say that it does not converge from here.
                continue
            if likeness > agreement:
                best, agreement = self._moved(np.asarray(warp, np.float64)), likeness
            if agreement > 0.9:
                break
        return best

    def _starts(self, first: Floats, second: Floats, guess: Moved) -> list[Floats]:
        """The guess, then shifts that phase correlation finds for several turns."""
        starts = [self._warp(guess)]
        height, width = first.shape
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        found = []
        for turn in _TURNS_RAD:
            middle = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), np.degrees(turn), 1.0)
            turned = cv2.warpAffine(first, middle, (width, height))
            (across, down), peak = cv2.phaseCorrelate(turned, second, window)
            middle = middle + np.array([[0.0, 0.0, across], [0.0, 0.0, down]])
            found.append((peak, middle.astype(np.float32)))
        starts += [warp for _, warp in sorted(found, key=lambda pair: -pair[0])]
        return starts

    def _warp(self, moved: Moved) -> Floats:
        """(2, 3): where pixels of the first patch are in the second."""
        corners = np.array([[0.0, 0.0], [1.0, 0.0]])
        floor = self._to_floor(corners) - (moved.x, moved.y)
        c, s = cos(moved.turn), sin(moved.turn)
        begin, right = self._to_pixels(floor @ np.array([[c, -s], [s, c]]))
        (a, b), (column, row) = right - begin, begin
        return np.array([[a, -b, column], [b, a, row]], np.float32)

    def _moved(self, warp: Array) -> Moved:
        begin, right = self._to_floor(np.array([[0.0, 0.0], [1.0, 0.0]]) @ warp[:, :2].T + warp[:, 2])
        origin, aside = self._to_floor(np.array([[0.0, 0.0], [1.0, 0.0]]))
        before, after = aside - origin, right - begin
        turn = atan2(before[1], before[0]) - atan2(after[1], after[0])
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        c, s = cos(turn), sin(turn)
        x, y = origin - np.array([[c, -s], [s, c]]) @ begin
        return Moved(x=float(x), y=float(y), turn=float(turn))

    def _to_floor(self, pixels: Array) -> Array:
        floor: Array = np.array([self._far, self._left]) - pixels[:, ::-1] * _PIXEL_M
        return floor

    def _to_pixels(self, floor: Array) -> Array:
        pixels: Array = ((np.array([self._far, self._left]) - floor) / _PIXEL_M)[:, ::-1]
        return pixels
