"""Marks on the floor as polygons in metres, and the two ways to paint them: on a floor bitmap or through a lens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Image = NDArray[np.uint8]
Color = tuple[float, float, float]
"""B, G, R in 0..255."""

_SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates: edges are placed to 1/16 pixel."""
_FINE = 8
"""Parts of a floor's pixel, a side: its share that is painted is counted in them."""
_PIECE = 12
"""Points a piece of a strip has: short pieces do not fold over themselves in tight bends."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mark:
    """One colour on a set of floor polygons, each (N, 2) metres."""

    polygons: tuple[Points, ...]
    color: Color
    wear: float = 0.0
    """Share of the paint that is gone, in [0, 1)."""


def headings(path: Points) -> Points:
    """(N, 2) unit tangents of a polyline."""
    tangents = np.empty_like(path)
    tangents[1:-1] = path[2:] - path[:-2]
    tangents[0], tangents[-1] = path[1] - path[0], path[-1] - path[-2]
    unit: Points = tangents / np.maximum(np.hypot(tangents[:, 0], tangents[:, 1]), 1e-9)[:, None]
    return unit


_SHARP = 0.2
"""Sine of a turn from one point to the next that makes a corner."""


def corners(path: Points) -> NDArray[np.int64]:
    """Indices of the points at which a polyline turns sharply."""
    tangents = headings(path)
    now, then = tangents[:-1], tangents[1:]
    return np.flatnonzero(np.abs(now[:, 0] * then[:, 1] - now[:, 1] * then[:, 0]) > _SHARP)


def offset_path(path: Points, distance_m: float | Points) -> Points:
    """The path moved to its left by ``distance_m``."""
    tangents = headings(path)
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    moved: Points = path + normals * np.asarray(distance_m)[..., None]
    return moved


def strip(path: Points, *, width_m: float, offset_m: float = 0.0) -> list[Points]:
    """A solid band along the path, as short overlapping polygons."""
    return _pieces(*_edges(path, width_m=width_m, offset_m=offset_m), 0, len(path))


def _edges(path: Points, *, width_m: float, offset_m: float) -> tuple[Points, Points]:
    tangents = headings(path)
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    return path + normals * (offset_m + width_m / 2), path + normals * (offset_m - width_m / 2)


def _pieces(left: Points, right: Points, start: int, end: int) -> list[Points]:
    """Polygons between both edges over the points ``start`` to ``end``."""
    cuts = range(start, max(end - 2, start + 1), _PIECE - 2)
    return [np.concatenate([left[a : min(a + _PIECE, end)], right[a : min(a + _PIECE, end)][::-1]]) for a in cuts]


def dashes(
    path: Points, *, width_m: float, dash_m: float, gap_m: float, phase_m: float = 0.0, offset_m: float = 0.0
) -> list[Points]:
    """A broken band: ``dash_m`` painted, ``gap_m`` not, the first dash shifted by ``phase_m``."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    period = dash_m + gap_m
    first = np.arange(-(phase_m % period), along[-1], period)
    starts, ends = np.maximum(first, 0.0), np.minimum(first + dash_m, along[-1])
    long_enough = ends - starts >= 1e-3
    starts, ends = starts[long_enough], ends[long_enough]
    # The edges of all dashes at once, on the path with every end of a dash put in between its own points.
    where = np.unique(np.concatenate([along, starts, ends]))
    dense = np.stack([np.interp(where, along, path[:, 0]), np.interp(where, along, path[:, 1])], axis=1)
    edges = _edges(dense, width_m=width_m, offset_m=offset_m)
    at, to = np.searchsorted(where, starts), np.searchsorted(where, ends) + 1
    return [piece for a, b in zip(at.tolist(), to.tolist(), strict=True) for piece in _pieces(*edges, a, b)]


def fill_mask(mask: Image, polygons: Iterable[Points], to_pixels: Callable[[Points], Points]) -> None:
    """Draw floor polygons into a single-channel mask, anti-aliased."""
    pieces = list(polygons)
    if not pieces:
        return
    # One projection for all: the arithmetic of a lens costs far less than calling it a hundred times.
    pixels = to_pixels(np.concatenate(pieces))
    # Points of a lens may lie almost infinitely far out; those of a floor lie within the mask, however large it is.
    far = 4000 + max(mask.shape)
    fixed = np.round(np.clip(np.nan_to_num(pixels, nan=1e6), -far, far) * (1 << _SHIFT)).astype(np.int32)
    ends = np.cumsum([len(piece) for piece in pieces])
    starts = ends - [len(piece) for piece in pieces]
    usable = np.logical_and.reduceat(np.isfinite(pixels[:, 0] + pixels[:, 1]), starts)
    for start, end in zip(starts[usable].tolist(), ends[usable].tolist(), strict=True):
        cv2.fillPoly(mask, [fixed[start:end]], (255.0,), lineType=cv2.LINE_AA, shift=_SHIFT)


def _cover(mask: Image, pixels: Points) -> None:
    """In place. OpenCV's own anti-aliasing draws an outline, which makes a narrow band a pixel and a half too wide."""
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 2, mask.shape[::-1])
    width, height = (high - low).tolist()
    if width <= 0 or height <= 0:
        return
    large = np.zeros((height * _FINE, width * _FINE), np.uint8)
    # A pixel's centre has whole coordinates, and so has that of each of its parts.
    where = (pixels - low + 0.5) * _FINE - 0.5
    cv2.fillPoly(large, [np.round(where * (1 << _SHIFT)).astype(np.int32)], (255.0,), shift=_SHIFT)
    part = mask[low[1] : high[1], low[0] : high[0]]
    np.maximum(part, cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), out=part)


def blend(image: Image, mask: Image, color: Color) -> None:
    """In place: ``color`` where the mask is 255."""
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return
    part, alpha = image[y : y + height, x : x + width], mask[y : y + height, x : x + width]
    weight = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR).astype(np.float32) * (1 / 255)
    part[:] = part + (np.asarray(color, dtype=np.float32) - part) * weight


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """A floor bitmap seen from above: row 0 is the largest y, column 0 the smallest x (metres)."""

    image: Image
    metres_per_pixel: float
    origin_xy: tuple[float, float]
    """World position of the centre of the lower left pixel."""

    def to_pixels(self, world: Points) -> Points:
        """(N, 2) world metres -> (N, 2) pixel column and row."""
        columns = (world[:, 0] - self.origin_xy[0]) / self.metres_per_pixel
        rows = (self.image.shape[0] - 1) - (world[:, 1] - self.origin_xy[1]) / self.metres_per_pixel
        return np.stack([columns, rows], axis=1)

    def covered(self, polygons: Iterable[Points]) -> Image:
        """(H, W) mask: how much of each pixel lies within the polygons, 255 is all."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        for polygon in polygons:
            _cover(mask, self.to_pixels(polygon))
        return mask

    def paint(self, mark: Mark, *, rng: np.random.Generator) -> None:
        """Draw a mark in place; worn paint loses speckles."""
        mask = self.covered(mark.polygons)
        if mark.wear > 0:
            wear_out(mask, mark.wear, rng)
        blend(self.image, mask, mark.color)


def wear_out(mask: Image, wear: float, rng: np.random.Generator) -> None:
    """In place: take ``wear`` of the paint away, in coarse and fine speckles."""
    small = rng.random((max(mask.shape[0] // 6, 2), max(mask.shape[1] // 6, 2)), dtype=np.float32)
    noise = cv2.resize(small, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_LINEAR)
    keep = np.clip((noise - wear) * 4 + 0.5, 0, 1)
    mask[:] = mask * keep
