"""A camera with a known lens that looks at a printed board: pictures to calibrate from, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import Board
from calibration.lens import pixels_to_rays, rays_to_pixels
from calibration.profile import CameraModel
from sim.render.sensor import Sensor, SensorSettings

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
_PIXELS_PER_MM = 4
_SUPERSAMPLED = 3
_MARGIN_MM = 20.0
"""White paper around the board."""
_MOST_TILT_RAD = radians(40.0)
_MOST_HALF_RAD = 0.85
HANDHELD = SensorSettings(
    corner_cast=(0.85, 0.8, 0.9), noise=3.0, blur_px=0.6, flicker=0.03, exposure=0.9, jpeg_quality=90
)
"""A cheap camera in a lit room."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardPose:
    """Frame of board or sheet -> camera frame: X_camera = rotation @ X + position (metres)."""

    rotation: Array
    position: Array


class SheetCamera:
    """Looks at one flat sheet, such as a floor or a piece of paper; everything random comes from the generator.

    The sheet's frame: x along its rows, y down its columns, origin in its upper left corner, metres.
    """

    def __init__(
        self, camera: CameraModel, sheet: Image, *, pixels_per_mm: float, beyond: float, rng: np.random.Generator,
        sensor: SensorSettings = HANDHELD,
    ) -> None:  # fmt: skip
        """``beyond``: the grey level where the sheet ends."""
        self.camera = camera
        self._rng = rng
        self._sensor = Sensor(sensor, width=camera.width, height=camera.height, rng=rng)
        shape = (camera.height * _SUPERSAMPLED, camera.width * _SUPERSAMPLED)
        columns, rows = ((np.arange(side) + 0.5) / _SUPERSAMPLED - 0.5 for side in shape[::-1])
        fine = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        self._rays = pixels_to_rays(camera, fine).astype(np.float32)
        left, right = (self._rays.reshape(*shape, 3)[shape[0] // 2, column] for column in (0, -1))
        self.field_rad = float(np.arccos(np.clip(left @ right, -1.0, 1.0)))
        """From the left to the right edge of the picture."""
        self._sheet, self._pixels_per_m, self._beyond = sheet, pixels_per_mm * 1000, beyond

    def look(self, pose: BoardPose, *, motion_px: float = 0.0) -> Image:
        """(H, W, 3) BGR; ``motion_px`` smears it as a shaking hand does."""
        camera = self.camera
        normal = pose.rotation[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = float(normal @ pose.position) / (self._rays @ normal.astype(np.float32))
            hits = self._rays * reach[:, None] - pose.position.astype(np.float32)
            where = hits @ pose.rotation[:, :2].astype(np.float32)
        where[~(reach > 0)] = -1e4
        pixels = where * self._pixels_per_m - 0.5
        maps = pixels.reshape(camera.height * _SUPERSAMPLED, camera.width * _SUPERSAMPLED, 2)
        fine = cv2.remap(self._sheet, maps, None, cv2.INTER_LINEAR, borderValue=self._beyond)  # type: ignore[call-overload]
        grey = cv2.resize(fine, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
        if motion_px > 1:
            kernel = np.zeros((int(motion_px) | 1,) * 2, np.float32)
            kernel[len(kernel) // 2] = 1.0 / len(kernel)
            grey = cv2.filter2D(grey, -1, kernel)
        return self._sensor.apply(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8), self._rng)


class BoardCamera(SheetCamera):
    """Looks at a printed board on white paper."""

    def __init__(
        self, camera: CameraModel, board: Board, *, rng: np.random.Generator, sensor: SensorSettings = HANDHELD
    ) -> None:
        margin = round(_MARGIN_MM * _PIXELS_PER_MM)
        paper = np.pad(board.picture(pixels_per_mm=_PIXELS_PER_MM), margin, constant_values=255)
        # Paper is not pure white and ink not pure black.
        printed = np.asarray(cv2.convertScaleAbs(paper, alpha=0.75, beta=30), np.uint8)
        super().__init__(camera, printed, pixels_per_mm=_PIXELS_PER_MM, beyond=90.0, rng=rng, sensor=sensor)
        self.board = board

    def look(self, pose: BoardPose, *, motion_px: float = 0.0) -> Image:
        """As of any sheet; the paper's corner lies off the board's by its margin."""
        margin = pose.rotation @ np.array([_MARGIN_MM, _MARGIN_MM, 0.0]) / 1000
        paper = BoardPose(rotation=pose.rotation, position=pose.position - margin)
        return super().look(paper, motion_px=motion_px)

    def corners(self, pose: BoardPose) -> Array:
        """(corners, 2) pixels where the corners really are."""
        return rays_to_pixels(self.camera, self.board.points() @ pose.rotation.T + pose.position)

    def views(self, count: int) -> list[BoardPose]:
        """As a person is told to: near, all over the picture, tilted this way and that."""
        cells = [(x, y) for y in (-0.6, 0.0, 0.6) for x in (-0.6, 0.0, 0.6)]
        return [self._towards(*cells[number % len(cells)]) for number in range(count)]

    def _towards(self, x: float, y: float) -> BoardPose:
        """The board's middle in the direction of one image point, facing the camera but for a tilt and a turn."""
        camera, rng = self.camera, self._rng
        x, y = np.clip(np.array([x, y]) + rng.uniform(-0.2, 0.2, 2), -0.75, 0.75)
        pixel = ((x + 1) / 2 * camera.width - 0.5, (y + 1) / 2 * camera.height - 0.5)
        ray = pixels_to_rays(camera, np.array([pixel]))[0]
        tilt, about = rng.uniform(0.2, 1.0) * _MOST_TILT_RAD, rng.uniform(0, 2 * np.pi)
        turned = _about(np.array([np.cos(about), np.sin(about), 0.0]) * tilt)
        spin = _about(np.array([0.0, 0.0, rng.uniform(-0.5, 0.5)]))
        rotation = _facing(ray) @ turned @ spin
        wide, high = (side / 1000 for side in self.board.size_mm)
        half_rad = min(_MOST_HALF_RAD, rng.uniform(0.3, 0.45) * self.field_rad)
        distance = float(np.hypot(wide, high) / 2 / np.tan(half_rad))
        middle = rotation @ np.array([wide / 2, high / 2, 0.0])
        return BoardPose(rotation=rotation, position=ray * distance - middle)


def _about(vector: Array) -> Array:
    return np.asarray(cv2.Rodrigues(vector)[0], np.float64)


def _facing(ray: Array) -> Array:
    """The rotation that turns the optical axis towards the ray."""
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = float(np.linalg.norm(axis))
    return np.eye(3) if sine < 1e-9 else _about(axis / sine * np.arctan2(sine, ray[2]))
