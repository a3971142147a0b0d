"""Does a centre line cross or touch itself? Such a file is refused unless its layout is a declared crossing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
_ROWS_AT_ONCE = 256
_TOUCH_M = 0.02
"""Two stretches of line nearer than this are one line to a camera: tape is about 2.5 cm wide."""


def self_intersection(vertices: Points) -> Points | None:
    """The first place where two segments that are no neighbours properly cross, or None. ``vertices`` is (N, 2)."""
    starts, ends = vertices[:-1], vertices[1:]
    count = len(starts)
    for first in range(0, count, _ROWS_AT_ONCE):
        rows = np.arange(first, min(first + _ROWS_AT_ONCE, count))
        a, b = starts[rows, None], ends[rows, None]
        apart = np.arange(count)[None] > rows[:, None] + 1
        split_by_ab = _side(a, b, starts[None]) * _side(a, b, ends[None]) < 0
        split_by_cd = _side(starts[None], ends[None], a) * _side(starts[None], ends[None], b) < 0
        found = np.argwhere(apart & split_by_ab & split_by_cd)
        if len(found):
            place: Points = starts[rows[found[0, 0]]]
            return place
    return None


def self_touch(points: Points, arc_length: Points, *, closed: bool) -> Points | None:
    """The first point that lies on a stretch of line which is not its neighbourhood, or None.

    ``points`` are equally spaced, no further apart than the touching distance.
    """
    length = float(arc_length[-1])
    for first in range(0, len(points), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        away = np.abs(arc_length[None] - arc_length[rows, None])
        if closed:
            away = np.minimum(away, length - away)
        gap = points[rows, None] - points[None]
        touching = (np.einsum("ijk,ijk->ij", gap, gap) < _TOUCH_M**2) & (away > 8 * _TOUCH_M)
        found = np.argwhere(touching)
        if len(found):
            place: Points = points[first + found[0, 0]]
            return place
    return None


def _side(a: Points, b: Points, c: Points) -> Points:
    """Twice the signed area of the triangle a, b, c; broadcast."""
    ab, ac = b - a, c - a
    area: Points = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    return area
