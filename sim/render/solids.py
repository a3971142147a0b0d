"""Upright things as convex solids: a footprint drawn up to a height, alone or several together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Color

Points = NDArray[np.float64]
OUTLINE = 16
"""Points of a face's outline: enough that a lens may bend its edges."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solid:
    """Convex, its footprint counter-clockwise; ``top`` is the footprint moved or shrunk, so that all sides are flat."""

    bottom: Points
    """(n, 2) metres, n at most OUTLINE."""
    top: Points
    low_m: float
    high_m: float
    color: Color

    def placed(self, x: float, y: float, heading_rad: float) -> Solid:
        """Turned by ``heading_rad`` and moved to (x, y)."""
        c, s = np.cos(heading_rad), np.sin(heading_rad)
        turn = np.array([[c, s], [-s, c]])
        return Solid(
            bottom=self.bottom @ turn + (x, y), top=self.top @ turn + (x, y), low_m=self.low_m, high_m=self.high_m,
            color=self.color,
        )  # fmt: skip

    def faces(self) -> Points:
        """(n + 2, OUTLINE, 3) outlines, seen from outside counter-clockwise: the sides, the top, the underside."""
        count = len(self.bottom)
        below = np.column_stack([self.bottom, np.full(count, self.low_m)])
        above = np.column_stack([self.top, np.full(count, self.high_m)])
        sides = np.stack([below, np.roll(below, -1, axis=0), np.roll(above, -1, axis=0), above], axis=1)
        ends = [_dense(corners) for corners in (above, below[::-1])]
        return np.stack([*(_dense(corners) for corners in sides), *ends])


def _dense(corners: Points) -> Points:
    """(n, 3) corners -> (OUTLINE, 3) points all along the outline: every corner, and more on long edges."""
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.sqrt(np.einsum("ij,ij->i", edges, edges))
    counts = 1 + np.floor((OUTLINE - len(corners)) * lengths / lengths.sum()).astype(int)
    counts[lengths.argmax()] += OUTLINE - counts.sum()
    edge = np.repeat(np.arange(len(corners)), counts)
    share = (np.arange(OUTLINE) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[edge]
    outline: Points = corners[edge] + edges[edge] * share[:, None]
    return outline


def block(
    size: tuple[float, float, float], *, color: Color, at: tuple[float, float] = (0.0, 0.0), low_m: float = 0.0,
    lean: tuple[float, float] = (0.0, 0.0),
) -> Solid:  # fmt: skip
    """A box of length along x, width along y and height, its footprint centred ``at``, its top moved by ``lean``."""
    length, width, height = size
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * (length / 2, width / 2) + at
    return Solid(bottom=corners, top=corners + lean, low_m=low_m, high_m=low_m + height, color=color)


def rounded(
    size: tuple[float, float, float], *, color: Color, at: tuple[float, float] = (0.0, 0.0), taper: float = 1.0,
    lean: tuple[float, float] = (0.0, 0.0),
) -> Solid:  # fmt: skip
    """As ``block`` with an oval of eight corners for a footprint; the top is ``taper`` times as large."""
    length, width, height = size
    angle = (np.arange(8) + 0.5) * np.pi / 4
    # A superellipse: rounder than a box, fuller than an ellipse.
    oval = np.stack([_full(np.cos(angle)) * length / 2, _full(np.sin(angle)) * width / 2], axis=1)
    return Solid(bottom=oval + at, top=oval * taper + at + lean, low_m=0.0, high_m=height, color=color)


def _full(values: Points) -> Points:
    powered: Points = np.sign(values) * np.sqrt(np.abs(values))
    return powered
