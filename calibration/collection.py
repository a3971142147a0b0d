"""Keeps those views of a live camera that show something new, and says what to show next."""

from __future__ import annotations

import numpy as np

from calibration.camera import FEWEST_VIEWS
from calibration.coverage import coverage_of
from calibration.detection import View

_NEW = 0.06
"""Of the picture's width: how far the corners of a view have moved since any other one."""
_SHARP_PX = 4.0
_WANTED_VIEWS = 20


class ViewCollection:
    def __init__(self) -> None:
        self.views: list[View] = []

    def offer(self, view: View) -> bool:
        """Whether it was kept."""
        if view.edge_px > _SHARP_PX or any(_alike(view, other) for other in self.views):
            return False
        self.views.append(view)
        return True

    @property
    def complete(self) -> bool:
        return len(self.views) >= _WANTED_VIEWS and not coverage_of(self.views).missing

    @property
    def advice(self) -> str:
        """One line: how many there are and what is missing."""
        count = len(self.views)
        missing = coverage_of(self.views).missing
        if missing:
            return f"{count} views; hold the board to: {', '.join(missing)}"
        more = max(_WANTED_VIEWS, FEWEST_VIEWS) - count
        return f"{count} views; all regions seen" + (f", {more} more: tilt it, nearer and further" if more > 0 else "")


def _alike(one: View, other: View) -> bool:
    common = sorted(set(one.ids) & set(other.ids))
    if len(common) < len(one.ids) / 2:
        return False
    places = [dict(zip(view.ids, view.pixels, strict=True)) for view in (one, other)]
    moved = np.mean([np.hypot(*(places[0][number] - places[1][number])) for number in common])
    return bool(moved < _NEW * one.size[0])
