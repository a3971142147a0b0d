"""Which parts of the picture the board has been seen in, in words and as a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.detection import View

REGIONS = (
    ("upper left", "top", "upper right"),
    ("left", "middle", "right"),
    ("lower left", "bottom", "lower right"),
)
_ENOUGH = 6
"""Corners in a region."""
_MAP_PX = 360


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    counts: NDArray[np.int64]
    """(3, 3) corners in each region."""

    @property
    def missing(self) -> list[str]:
        """Names of regions with too few corners, in reading order."""
        return [REGIONS[y][x] for y in range(3) for x in range(3) if self.counts[y, x] < _ENOUGH]

    @property
    def share(self) -> float:
        return 1.0 - len(self.missing) / 9

    @property
    def empty_side(self) -> str | None:
        """Left, right, upper or lower, when a whole third of the picture has no corner worth the name."""
        sides = {
            "left": self.counts[:, 0], "right": self.counts[:, 2], "upper": self.counts[0], "lower": self.counts[2],
        }  # fmt: skip
        return next((name for name, side in sides.items() if side.sum() < _ENOUGH), None)


def coverage_of(views: Sequence[View]) -> Coverage:
    counts = np.zeros((3, 3), np.int64)
    for view in views:
        cells = np.clip((view.pixels / view.size * 3).astype(int), 0, 2)
        np.add.at(counts, (cells[:, 1], cells[:, 0]), 1)
    return Coverage(counts=counts)


def draw_coverage(views: Sequence[View]) -> NDArray[np.uint8]:
    """(H, W, 3) BGR: every corner as a dot, missing regions red with their names."""
    wide, high = views[0].size
    scale = _MAP_PX / max(wide, high)
    canvas = np.full((round(high * scale), round(wide * scale), 3), 255, np.uint8)
    missing = coverage_of(views).missing
    for y in range(3):
        for x in range(3):
            left, top = round(x * canvas.shape[1] / 3), round(y * canvas.shape[0] / 3)
            right, bottom = round((x + 1) * canvas.shape[1] / 3), round((y + 1) * canvas.shape[0] / 3)
            if REGIONS[y][x] in missing:
                canvas[top:bottom, left:right] = (200, 200, 250)
                cv2.putText(canvas, REGIONS[y][x], (left + 6, bottom - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 160))
            cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), (190, 190, 190))
    for view in views:
        for column, row in (view.pixels + 0.5) * scale:
            cv2.circle(canvas, (round(column), round(row)), 2, (150, 90, 20), -1, cv2.LINE_AA)
    return canvas
