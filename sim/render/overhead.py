"""A track from above, for reports: the line, its borders, and where the robot went."""

from __future__ import annotations

from math import isfinite

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Image
from sim.tracks.geometry import Track

Points = NDArray[np.float64]
Color = tuple[int, int, int]

_SHIFT = 4
_MARGIN = 0.05
_PAPER, _BORDER, _LINE, _PATH, _START = (250, 250, 250), (200, 200, 200), (90, 90, 90), (200, 90, 20), (60, 160, 60)
"""B, G, R."""


def overhead(track: Track, *, paths: tuple[Points, ...] = (), width: int = 800, line_width_m: float = 0.025) -> Image:
    """(H, width, 3) uint8 BGR with equal scales; ``paths`` are (N, 2) world metres and drawn over the line."""
    low, size, scale = _frame(track, paths, width)
    height = max(1, round(float(size[1]) * scale))
    picture = np.full((height, width, 3), _PAPER, np.uint8)

    def draw(points: Points, color: Color, thickness: int, *, closed: bool = False) -> None:
        flipped = (points - low) * scale
        flipped[:, 1] = height - flipped[:, 1]
        fixed = np.round(flipped * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(picture, [fixed], closed, color, thickness, cv2.LINE_AA, _SHIFT)

    for border in (track.inner, track.outer):
        if border is not None:
            draw(border, _BORDER, 1, closed=track.closed)
    draw(track.vertices, _LINE, max(2, round(line_width_m * scale)))
    for path in paths:
        draw(path[np.isfinite(path).all(axis=1)], _PATH, 1)
    draw(_arrow(track, 12.0 / scale), _START, 2)
    return picture


def _frame(track: Track, paths: tuple[Points, ...], width: int) -> tuple[Points, Points, float]:
    """Lower left corner and size in metres, and pixels a metre."""
    drawn = [track.vertices, *(border for border in (track.inner, track.outer) if border is not None)]
    points = np.concatenate([*drawn, *paths])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * max(float((high - low).max()), 0.1)
    size = high - low + 2 * margin
    scale = width / float(size[0])
    return low - margin, size, scale if isfinite(scale) else 1.0


def _arrow(track: Track, size_m: float) -> Points:
    """At the start, in driving direction."""
    x, y, heading = track.pose_at(0.0)
    tip = np.array([x, y]) + size_m * np.array([np.cos(heading), np.sin(heading)])
    back = [tip - size_m * np.array([np.cos(heading + a), np.sin(heading + a)]) for a in (0.5, -0.5)]
    return np.array([back[0], tip, back[1], tip, [x, y]])
