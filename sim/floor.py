"""The floor bitmap under a whole track, painted as a look says."""

from __future__ import annotations

import cv2
import numpy as np

from sim.looks import Look
from sim.render.appearance import LineStyle, TrackStyle
from sim.render.distractors import forks_and_crossings
from sim.render.ground import Ground, Mark, Points, corners, strip
from sim.render.textures import tile

_RESOLUTION_M = 0.005
_MARGIN_M = 1.0
_TILE_M = 0.6


def paint_floor(path: Points, look: Look, *, rng: np.random.Generator) -> Ground:
    """``path`` is (N, 2) world metres, a centimetre apart, repeated first point included when closed."""
    ground = _bare_floor(path, look)
    style = look.style
    _paint(ground, [mark for band in style.bands for mark in band.marks(path)], rng)
    if style.road is not None:
        _paint(ground, _joins(path, style.road), rng)
    if look.distractors:
        stray = forks_and_crossings(path, style.lines[-1], per_10_m=look.distractors, rng=rng)
        _paint(ground, stray, rng)
    if style.borders:
        _paint_borders(ground, path, style, rng)
    _paint(ground, [m for line in style.lines if line.offset_m == 0 for m in line.marks(path)], rng)
    return ground


def _paint(ground: Ground, marks: list[Mark], rng: np.random.Generator) -> None:
    for mark in marks:
        ground.paint(mark, rng=rng)


def _joins(path: Points, road: LineStyle) -> list[Mark]:
    """Round patches on sharp corners: a wide band folds over itself there and leaves a hole."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    disc = np.stack([np.cos(angle), np.sin(angle)], axis=1) * road.width_m / 2
    return [Mark(polygons=tuple(path[i] + disc for i in corners(path)), color=road.color, wear=road.wear)]


def _paint_borders(ground: Ground, path: Points, style: TrackStyle, rng: np.random.Generator) -> None:
    """Without what would lie across the way: at a crossing, and inside a sharp corner."""
    before = ground.image.copy()
    _paint(ground, [mark for line in style.borders for mark in line.marks(path)], rng)
    way = ground.covered(strip(path, width_m=2 * style.half_way_m))
    np.copyto(ground.image, before, where=way[..., None] > 127)


def _bare_floor(path: Points, look: Look) -> Ground:
    low, high = path.min(axis=0) - _MARGIN_M, path.max(axis=0) + _MARGIN_M
    width, height = (np.ceil((high - low) / _RESOLUTION_M).astype(int) + 1).tolist()
    side = round(_TILE_M / _RESOLUTION_M)
    piece = cv2.convertScaleAbs(cv2.resize(tile(look.floor), (side, side)), alpha=look.brightness)
    floor = np.tile(piece, (height // side + 1, width // side + 1, 1))[:height, :width].copy()
    return Ground(
        image=np.asarray(floor, np.uint8), metres_per_pixel=_RESOLUTION_M, origin_xy=(float(low[0]), float(low[1]))
    )
