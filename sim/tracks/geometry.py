"""A track: the centre line to follow, and the arithmetic on it. World frame: x right, y up, metres."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import atan2, hypot, pi

import numpy as np
from numpy.typing import NDArray

from control.errors import TrackError

Points = NDArray[np.float64]

DEFAULT_WIDTH_M = 0.6
_WINDOW_M = 0.6
"""How far from the last place a nearest point is looked for before the whole track is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The foot of a point on the centre line."""

    s: float
    """Arc length from the start, metres."""
    lateral_m: float
    """Signed distance; positive when the point lies left of the line."""
    heading_rad: float
    """Direction of travel of the line there."""
    index: int
    """The segment; a hint for the next search."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """A centre line in driving direction.

    ``center`` is (N, 2) without repeated points; a closed track returns from the last point to the first.
    ``inner`` and ``outer`` are borders with points of their own, or None.
    """

    name: str
    center: Points
    closed: bool
    width_m: float = DEFAULT_WIDTH_M
    crossing: bool = False
    """The centre line may cross itself, as a figure-eight does."""
    inner: Points | None = field(default=None, repr=False)
    outer: Points | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.center.ndim != 2 or self.center.shape[1] != 2 or len(self.center) < (3 if self.closed else 2):
            raise TrackError(f"track {self.name}: the centre line needs at least three points of x and y")
        if not np.isfinite(self.center).all():
            raise TrackError(f"track {self.name}: a coordinate is not a finite number")

    @cached_property
    def vertices(self) -> Points:
        """The centre line with the first point repeated at the end when closed."""
        return np.concatenate([self.center, self.center[:1]]) if self.closed else self.center

    @cached_property
    def arc_length(self) -> Points:
        """Of each vertex, from the start; the last is the length of the track."""
        steps = np.hypot(*np.diff(self.vertices, axis=0).T)
        if steps.min() <= 0:
            raise TrackError(f"track {self.name}: two neighbouring points are the same")
        return np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def length_m(self) -> float:
        return float(self.arc_length[-1])

    def wrap(self, s: float) -> float:
        """Arc length brought back onto the track."""
        return s % self.length_m if self.closed else max(0.0, min(self.length_m, s))

    def segment_at(self, s: float) -> int:
        """Index of the segment that one arc length falls on: a hint for ``nearest``."""
        last = len(self.vertices) - 2
        return max(0, min(last, int(np.searchsorted(self.arc_length, self.wrap(s), side="right")) - 1))

    def points_at(self, s: Points) -> Points:
        """(M,) arc lengths -> (M, 2); past the ends an open track stays at its end."""
        along = np.mod(s, self.length_m) if self.closed else s
        vertices = self.vertices
        return np.stack([np.interp(along, self.arc_length, vertices[:, i]) for i in (0, 1)], axis=1)

    def pose_at(self, s: float) -> tuple[float, float, float]:
        """x, y and heading of travel at one arc length."""
        along, index = self.wrap(s), self.segment_at(s)
        (x0, y0), (x1, y1) = self.vertices[index], self.vertices[index + 1]
        share = (along - self.arc_length[index]) / (self.arc_length[index + 1] - self.arc_length[index])
        return float(x0 + share * (x1 - x0)), float(y0 + share * (y1 - y0)), atan2(y1 - y0, x1 - x0)

    def curvature_at(self, s: float, *, span_m: float = 0.2) -> float:
        """1/m, positive to the left, of the circle through three points ``span_m / 2`` apart (Menger)."""
        a, b, c = self.points_at(np.array([s - span_m / 2, s, s + span_m / 2]))
        twice_area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        sides = hypot(*(b - a)) * hypot(*(c - b)) * hypot(*(c - a))
        return float(2.0 * twice_area / sides) if sides > 0 else 0.0

    def nearest(self, x: float, y: float, *, hint: int | None = None) -> Nearest:
        """Exact projection onto the centre line.

        With ``hint`` (the last answer's segment) only its surroundings are searched, so that a crossing does not
        catch a robot that passes over it; without, the whole track.
        """
        count = len(self.vertices) - 1
        if hint is None:
            return self._project(0, count, x, y)
        first, last = hint - self._reach, hint + self._reach + 1
        return self._project(first, last, x, y) if self.closed else self._project(max(0, first), min(count, last), x, y)

    @cached_property
    def _reach(self) -> int:
        """Segments on each side of a hint that are searched."""
        return max(2, round(_WINDOW_M / self.length_m * (len(self.vertices) - 1)))

    @cached_property
    def _segments(self) -> Points:
        """(5, M) start x and y, step x and y, 1 / step squared; a closed track goes on by the reach at both ends."""
        steps = np.diff(self.vertices, axis=0)
        table = np.vstack([self.vertices[:-1].T, steps.T, 1.0 / np.einsum("ij,ij->i", steps, steps)])
        beyond = self._reach if self.closed else 0
        wrapped: Points = table[:, np.arange(-beyond, len(steps) + beyond) % len(steps)]
        return wrapped

    def _project(self, first: int, last: int, x: float, y: float) -> Nearest:
        """Onto the segments from ``first`` up to ``last``, counted from the start of the track."""
        beyond = self._reach if self.closed else 0
        start_x, start_y, step_x, step_y, inverse = self._segments[:, first + beyond : last + beyond]
        dx, dy = x - start_x, y - start_y
        share = np.minimum(np.maximum((dx * step_x + dy * step_y) * inverse, 0.0), 1.0)
        off_x, off_y = dx - share * step_x, dy - share * step_y
        best = int((off_x * off_x + off_y * off_y).argmin())
        index = (first + best) % (len(self.vertices) - 1)
        ahead, left = float(step_x[best]), float(step_y[best])
        distance = hypot(float(off_x[best]), float(off_y[best]))
        side = ahead * float(dy[best]) - left * float(dx[best])
        return Nearest(
            s=float(self.arc_length[index]) + float(share[best]) * hypot(ahead, left),
            lateral_m=distance if side >= 0 else -distance,
            heading_rad=atan2(left, ahead),
            index=index,
        )

    def path(self, spacing_m: float = 0.02) -> Points:
        """(M, 2) equally spaced points from start to end; a closed track ends where it starts."""
        count = max(2, round(self.length_m / spacing_m) + 1)
        points = self.points_at(np.linspace(0.0, self.length_m, count))
        points[-1] = self.vertices[-1]
        return points

    def resampled(self, spacing_m: float = 0.02) -> Track:
        """The same track with equally spaced points."""
        path = self.path(spacing_m)
        return replace(self, center=path[:-1] if self.closed else path)

    def reversed(self) -> Track:
        """The other driving direction; a closed track keeps its start."""
        center = np.roll(self.center[::-1], 1, axis=0) if self.closed else self.center[::-1].copy()
        return replace(self, center=center)

    def scaled(self, factor: float) -> Track:
        """Larger or smaller about the origin, width and borders too."""
        if not 0 < factor < 1000:
            raise TrackError(f"track {self.name}: scale must be between 0 and 1000, not {factor:g}")
        inner = None if self.inner is None else self.inner * factor
        outer = None if self.outer is None else self.outer * factor
        return replace(self, center=self.center * factor, inner=inner, outer=outer, width_m=self.width_m * factor)


def heading_difference(a: float, b: float) -> float:
    """a - b in [-pi, pi)."""
    return (a - b + pi) % (2 * pi) - pi
