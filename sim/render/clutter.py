"""Where things stand beside a track: near enough to be seen, never in the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Color, Ground, Mark, headings, strip
from sim.render.shadow import cast_shadow
from sim.render.solids import Solid
from sim.render.things import STANDING, cable, door_frame

Points = NDArray[np.float64]
CLEARANCE_M = 0.25
"""Nothing lies or stands nearer to the path than this, on any stretch of it."""
_OVERHEAD_M = 0.4
"""What hangs higher than this may hang over the path."""
_FURTHEST_M = 0.6
"""Between a thing's middle and the place where it would just be clear; most stand nearer."""
_TRIES = 12
_DOOR, _CABLE = 0.06, 0.16
"""Shares of all things."""
_CABLE_WIDTH_M = 0.007
_RUBBER: tuple[Color, ...] = ((25.0, 25.0, 28.0), (215.0, 215.0, 215.0), (30.0, 60.0, 190.0))
_SHADOW_A_METRE = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clutter:
    """In world metres."""

    things: tuple[tuple[Solid, ...], ...] = ()
    cables: tuple[Mark, ...] = ()
    lamp: Points
    """(2,) unit vector towards the light."""

    @property
    def solids(self) -> tuple[Solid, ...]:
        return tuple(solid for thing in self.things for solid in thing)

    def paint(self, ground: Ground, *, rng: np.random.Generator) -> None:
        """In place: what lies on the floor, and the shadows of what stands on it."""
        for mark in self.cables:
            ground.paint(mark, rng=rng)
        for thing in self.things:
            cast_shadow(ground, thing, away=-_SHADOW_A_METRE * self.lamp)


def place_clutter(path: Points, *, per_10_m: int, rng: np.random.Generator) -> Clutter:
    """Beside (N, 2) evenly spaced points of a path; a place where nothing fits in a dozen tries stays empty."""
    length_m = float(np.hypot(*np.diff(path, axis=0).T).sum())
    count = round(per_10_m * length_m / 10)
    angle = float(rng.uniform(0, 2 * pi))
    site = _Site(path)
    for number in range(count):
        index = int((number + float(rng.random())) / count * (len(path) - 1))
        kind = float(rng.random())
        if kind < _DOOR:
            site.add(door_frame(rng), *site.pose(index))
        elif kind < _DOOR + _CABLE:
            site.lay_beside(index, cable(rng), rng)
        else:
            site.stand_beside(index, STANDING[int(rng.integers(len(STANDING)))](rng), rng)
    return Clutter(things=tuple(site.things), cables=tuple(site.cables), lamp=np.array([cos(angle), sin(angle)]))


class _Site:
    """A path and what is beside it so far."""

    def __init__(self, path: Points) -> None:
        self._path = path
        self._tangents = headings(path)
        self._taken: list[tuple[Points, float]] = []
        self.things: list[tuple[Solid, ...]] = []
        self.cables: list[Mark] = []

    def pose(self, index: int) -> tuple[float, float, float]:
        (x, y), (ahead, left) = self._path[index], self._tangents[index]
        return float(x), float(y), atan2(left, ahead)

    def stand_beside(self, index: int, thing: tuple[Solid, ...], rng: np.random.Generator) -> None:
        outline = np.concatenate([solid.bottom for solid in thing])
        for _ in range(_TRIES):
            if self.add(thing, *self._beside(index, outline, rng)):
                return

    def add(self, thing: tuple[Solid, ...], x: float, y: float, heading_rad: float) -> bool:
        """False when it would be in the way."""
        placed = tuple(solid.placed(x, y, heading_rad) for solid in thing)
        low = np.concatenate([_dense(solid.bottom) for solid in placed if solid.low_m < _OVERHEAD_M])
        if not (self._is_clear(low) and self._is_free(low)):
            return False
        self.things.append(placed)
        return True

    def lay_beside(self, index: int, walked: Points, rng: np.random.Generator) -> None:
        for _ in range(_TRIES):
            x, y, heading = self._beside(index, walked, rng)
            c, s = cos(heading), sin(heading)
            lying = walked @ np.array([[c, s], [-s, c]]) + (x, y)
            if self._is_clear(lying):
                color = _RUBBER[int(rng.integers(len(_RUBBER)))]
                self.cables.append(Mark(polygons=tuple(strip(lying, width_m=_CABLE_WIDTH_M)), color=color))
                return

    def _beside(self, index: int, outline: Points, rng: np.random.Generator) -> tuple[float, float, float]:
        """A random pose left or right of the path for what reaches as far as ``outline`` about its middle."""
        x, y, heading = self.pose(index)
        reach = float(np.hypot(*outline.T).max())
        away = (CLEARANCE_M + float(rng.uniform(0.3, 1.0)) * reach + _FURTHEST_M * float(rng.random()) ** 2) * (
            1.0 if rng.random() < 0.5 else -1.0
        )
        return x - away * sin(heading), y + away * cos(heading), float(rng.uniform(-pi, pi))

    def _is_clear(self, points: Points) -> bool:
        low, high = points.min(axis=0) - CLEARANCE_M, points.max(axis=0) + CLEARANCE_M
        close = self._path[((self._path > low) & (self._path < high)).all(axis=1)]
        gap = points[:, None] - close
        return not bool((np.einsum("ijk,ijk->ij", gap, gap) < CLEARANCE_M**2).any())

    def _is_free(self, points: Points) -> bool:
        """No other thing stands there; takes the place if so."""
        middle = points.mean(axis=0)
        reach = float(np.hypot(*(points - middle).T).max())
        if any(np.hypot(*(middle - other)) < reach + far for other, far in self._taken):
            return False
        self._taken.append((middle, reach))
        return True


def _dense(corners: Points) -> Points:
    """The outline of a footprint, eight points an edge: a long edge must not bridge the path unseen."""
    share = np.linspace(0, 1, 8, endpoint=False)[:, None, None]
    outline: Points = (corners + (np.roll(corners, -1, axis=0) - corners) * share).reshape(-1, 2)
    return outline
