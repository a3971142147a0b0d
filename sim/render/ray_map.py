"""One camera: each pixel's place on floor and wall is known once; a frame is a transform and a remap for each band.

Rows near the horizon cover much floor: they read a coarser floor and several lines of it each, or thin far
lines would come and go from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from math import floor, log2
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.projection import GroundProjection
from sim.render.ground import Image
from sim.render.panorama import facing, panorama_map
from sim.render.pyramid import LEVELS, FloorPyramid
from sim.vehicle.kinematics import Pose

Floats = NDArray[np.float64]
_FAR_M = 6.0
"""Beyond this stands the wall."""
_NOWHERE_M = 1e5
_NO_MAP: Any = None
"""OpenCV's stub asks for an array here, but an empty one costs twice the time."""
_TAPS = (1, 2, 4)
_SHARP = 2.0
"""Texels that one line of samples may stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Band:
    """Rows that read the same level with the same number of lines each."""

    first: int
    last: int
    taps: int
    level: int

    @property
    def lines(self) -> int:
        return (self.last - self.first) * self.taps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Level:
    """Bands that follow each other and read the same level share one transform."""

    number: int
    bands: tuple[_Band, ...]
    points: NDArray[np.float32]
    """(lines, W, 2) floor points, forward and left, metres."""
    where: NDArray[np.float32]
    """(lines, W, 2) the same in pixels of the level, anew for each frame."""


class RayMap:
    """The view of one lens on its mount over floors of one resolution; for one thread at a time."""

    def __init__(self, projection: GroundProjection, *, metres_per_pixel: float) -> None:
        camera = projection.camera
        self._projection = projection
        self._width, self._height = camera.width, camera.height
        points = self._floor(np.arange(camera.height, dtype=np.float64))
        self.floor_points: NDArray[np.float32] = points.astype(np.float32)
        """(H, W, 2) forward and left in metres; NaN where a pixel shows no floor."""
        hidden = np.isnan(points[..., 0])
        floor_rows = np.flatnonzero(~hidden.all(axis=1))
        self._first = int(floor_rows[0]) if len(floor_rows) else camera.height
        self._bands = self._make_bands(metres_per_pixel)
        self._levels = tuple(
            self._level(level, tuple(group)) for level, group in groupby(self._bands, key=lambda band: band.level)
        )
        wall_rows = np.flatnonzero(hidden.any(axis=1))
        self._wall_last = int(wall_rows[-1]) + 1 if len(wall_rows) else 0
        self._hidden: Image = np.asarray(hidden[: self._wall_last] * 255, np.uint8)
        self._wall = panorama_map(self._rays(np.arange(self._wall_last, dtype=np.float64)))
        # Fresh memory costs a page fault every 4 kB: what no caller sees is used again for each frame.
        self._canvas = np.empty((camera.height, camera.width, 4), np.uint8)
        self._wall_seen = np.empty((self._wall_last, camera.width, 4), np.uint8)
        most = max((band.lines for band in self._bands), default=0)
        self._lines = np.empty((most, camera.width, 4), np.uint8)

    def render(self, floor: FloorPyramid, panorama: Image, pose: Pose) -> Image:
        """(H, W, 3) uint8 BGR: what the camera sees from ``pose`` (world frame)."""
        canvas, matrices = self._canvas, floor.matrices(pose)
        for level in self._levels:
            cv2.transform(level.points, matrices[level.number], level.where)
            done = 0
            for band in level.bands:
                self._render_band(canvas[band.first : band.last], band, floor, level.where[done : done + band.lines])
                done += band.lines
        if self._wall_last:
            around = facing(panorama, pose.heading)
            cv2.remap(around, self._wall, _NO_MAP, cv2.INTER_NEAREST, self._wall_seen)
            cv2.copyTo(self._wall_seen, self._hidden, canvas[: self._wall_last])
        return np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGRA2BGR), np.uint8)

    def _render_band(self, rows: Image, band: _Band, floor: FloorPyramid, where: NDArray[np.float32]) -> None:
        target = rows if band.taps == 1 else self._lines[: band.lines]
        source = floor.levels[band.level]
        cv2.remap(source, where, _NO_MAP, cv2.INTER_LINEAR, target, cv2.BORDER_CONSTANT, floor.beyond)
        left = band.lines
        while left > 2 * len(rows):
            left //= 2
            cv2.addWeighted(target[:left], 0.5, target[left : 2 * left], 0.5, 0, target[:left])
        if band.taps > 1:
            cv2.addWeighted(target[: len(rows)], 0.5, target[len(rows) : left], 0.5, 0, rows)

    def _image_points(self, rows: Floats, *, column_shift: float = 0.0) -> Floats:
        columns = np.arange(self._width, dtype=np.float64) + column_shift
        grid = np.stack(np.meshgrid(columns, rows), axis=-1)
        return self._projection.pixels_to_points(grid.reshape(-1, 2))

    def _rays(self, rows: Floats) -> Floats:
        return self._projection.rays(self._image_points(rows)).reshape(len(rows), self._width, 3)

    def _floor(self, rows: Floats, *, column_shift: float = 0.0) -> Floats:
        """(rows, W, 2) floor points of pixel rows, which need not be whole; NaN where there is no floor."""
        points = self._projection.to_ground(self._image_points(rows, column_shift=column_shift))
        away = np.hypot(points[:, 0], points[:, 1])
        points[~(away < _FAR_M)] = np.nan
        return points.reshape(len(rows), self._width, 2)

    def _make_bands(self, metres_per_pixel: float) -> tuple[_Band, ...]:
        rows = np.arange(self._first, self._height, dtype=np.float64)
        if not len(rows):
            return ()
        deep = _row_median(self._floor(rows + 0.5) - self._floor(rows - 0.5))
        wide = _row_median(self._floor(rows, column_shift=0.5) - self._floor(rows, column_shift=-0.5))
        plans = [_plan(d / metres_per_pixel, w / metres_per_pixel) for d, w in zip(deep, wide, strict=True)]
        cuts = [0, *(i for i in range(1, len(plans)) if plans[i] != plans[i - 1]), len(plans)]
        return tuple(
            _Band(first=self._first + begin, last=self._first + end, taps=plans[begin][0], level=plans[begin][1])
            for begin, end in pairwise(cuts)
        )

    def _level(self, number: int, bands: tuple[_Band, ...]) -> _Level:
        points = np.concatenate([self._band_points(band) for band in bands])
        return _Level(number=number, bands=bands, points=points, where=np.empty_like(points))

    def _band_points(self, band: _Band) -> NDArray[np.float32]:
        """(taps * rows, W, 2) floor points in metres: first the upper line of every row, then the next ones."""
        within = (np.arange(band.taps) + 0.5) / band.taps - 0.5
        lines = (np.arange(band.first, band.last) + within[:, None]).ravel()
        return np.nan_to_num(self._floor(lines), nan=_NOWHERE_M).astype(np.float32)


def _row_median(steps: Floats) -> list[float]:
    """The length of each row's middle step; 0 for a row that shows no floor on one side of it."""
    lengths = np.hypot(steps[..., 0], steps[..., 1])
    return [float(np.median(row[np.isfinite(row)])) if np.isfinite(row).any() else 0.0 for row in lengths]


def _plan(deep: float, wide: float) -> tuple[int, int]:
    """Lines a row and pyramid level, for a pixel that covers ``deep`` x ``wide`` texels of the finest level."""
    level = min(LEVELS - 1, max(0, floor(log2(max(wide, 1.0)))))
    needed = deep / (_SHARP * 2**level)
    while needed > 2 * _TAPS[-1] and level < LEVELS - 1:
        level, needed = level + 1, needed / 2
    return next((taps for taps in _TAPS if taps >= needed), _TAPS[-1]), level
