"""Built-in layouts drawn from straights, arcs and corners, sized for a tabletop robot."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from sim.tracks.geometry import Track

Points = NDArray[np.float64]
_SPACING_M = 0.05


class _Pen:
    """Draws a centre line: starts at a pose, goes straight or along arcs."""

    def __init__(self, x: float, y: float, heading_rad: float = 0.0) -> None:
        self._x, self._y, self._heading = x, y, heading_rad
        self._points = [(x, y)]

    def straight(self, length_m: float) -> _Pen:
        self._follow(length_m, 0.0)
        return self

    def turn(self, angle_deg: float, *, radius_m: float) -> _Pen:
        """Positive to the left."""
        self._follow(abs(radians(angle_deg)) * radius_m, (1.0 if angle_deg > 0 else -1.0) / radius_m)
        return self

    def corner(self, angle_deg: float) -> _Pen:
        """Turn on the spot, as tape does."""
        self._heading += radians(angle_deg)
        return self

    def _follow(self, length_m: float, curvature: float) -> None:
        count = max(1, ceil(length_m / _SPACING_M))
        step, bend = length_m / count, length_m / count * curvature
        chord = step if bend == 0.0 else 2.0 * sin(bend / 2) / curvature
        for _ in range(count):
            self._x += chord * cos(self._heading + bend / 2)
            self._y += chord * sin(self._heading + bend / 2)
            self._heading += bend
            self._points.append((self._x, self._y))

    def points(self) -> Points:
        return np.array(self._points)


def _closed(name: str, points: Points, *, crossing: bool = False) -> Track:
    return Track(name=name, center=points[:-1], closed=True, crossing=crossing)


def figure_eight() -> Track:
    """Gerono's lemniscate, 4 x 2 m; it crosses itself in the middle."""
    angle = np.linspace(-pi / 2, 3 * pi / 2, 241)
    points = np.stack([2.0 * np.cos(angle), np.sin(2 * angle)], axis=1)
    return _closed("figure-eight", points, crossing=True)


def crossing() -> Track:
    """Two loops joined by straights that cross at a right angle."""
    pen = _Pen(-0.8, 0.0).straight(1.6).turn(270, radius_m=0.8).straight(1.6).turn(-270, radius_m=0.8)
    return _closed("crossing", pen.points(), crossing=True)


def oval() -> Track:
    pen = _Pen(-1.0, -0.7).straight(2.0).turn(180, radius_m=0.7).straight(2.0).turn(180, radius_m=0.7)
    return _closed("oval", pen.points())


def corners() -> Track:
    """An L of tape whose six corners are right angles: five to the left, one to the right."""
    pen = _Pen(0.4, 0.0).straight(2.6).corner(90).straight(1.2).corner(90).straight(1.4).corner(-90)
    pen.straight(1.2).corner(90).straight(1.6).corner(90).straight(2.4).corner(90).straight(0.4)
    return _closed("corners", pen.points())


def straight() -> Track:
    return Track(name="straight", center=_Pen(0.0, 0.0).straight(5.0).points(), closed=False)


def s_bend() -> Track:
    pen = _Pen(0.0, 0.0).straight(1.0).turn(70, radius_m=0.8).turn(-70, radius_m=0.8).straight(1.0)
    return Track(name="s-bend", center=pen.points(), closed=False)


SHAPES: dict[str, Callable[[], Track]] = {
    "figure-eight": figure_eight,
    "crossing": crossing,
    "oval": oval,
    "corners": corners,
    "straight": straight,
    "s-bend": s_bend,
}
