"""The line as a polyline on the floor, near to far: targets, offset and heading at the vehicle, curvature ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, hypot, sin, sqrt

from control.messages import GroundPoint

_TINY_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """Where the line is beside the vehicle."""

    offset_m: float
    """Lateral distance to the line, positive when the line is to the left."""
    heading_rad: float
    """Direction of the line, positive to the left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """How sharply the line turns at a distance ahead along it."""

    distance_m: float
    curvature_1pm: float


def target_at(points: Sequence[GroundPoint], distance_m: float) -> tuple[GroundPoint, int]:
    """Where the polyline leaves the circle of that radius for the last time, and the index of the point before.

    Never extrapolates: the farthest point if all are nearer, the nearest if all are farther.
    """
    last = len(points) - 1
    if hypot(points[last].x, points[last].y) <= distance_m:
        return points[last], last
    for i in range(last - 1, -1, -1):
        if hypot(points[i].x, points[i].y) <= distance_m:
            return _on_circle(points[i], points[i + 1], distance_m), i
    return min(((p, i) for i, p in enumerate(points)), key=lambda pair: hypot(pair[0].x, pair[0].y))


def _on_circle(inside: GroundPoint, outside: GroundPoint, radius_m: float) -> GroundPoint:
    """The crossing of a segment, from inside to outside, with the circle about the vehicle."""
    dx, dy = outside.x - inside.x, outside.y - inside.y
    a = max(dx * dx + dy * dy, _TINY_M * _TINY_M)
    b = inside.x * dx + inside.y * dy
    c = inside.x * inside.x + inside.y * inside.y - radius_m * radius_m
    part = max(0.0, min(1.0, (-b + sqrt(max(0.0, b * b - a * c))) / a))
    return GroundPoint(x=inside.x + part * dx, y=inside.y + part * dy)


def _quadratic(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float] | None:
    """Least squares y = a + b x + c x^2, or None when the points do not tell (fewer than 3 places)."""
    s0 = float(len(x))
    s1, s2 = sum(x), sum(v * v for v in x)
    s3, s4 = sum(v**3 for v in x), sum(v**4 for v in x)
    t0 = sum(y)
    t1 = sum(u * v for u, v in zip(x, y, strict=True))
    t2 = sum(u * u * v for u, v in zip(x, y, strict=True))
    m0, m1, m2 = s2 * s4 - s3 * s3, s1 * s4 - s2 * s3, s1 * s3 - s2 * s2
    determinant = s0 * m0 - s1 * m1 + s2 * m2
    if abs(determinant) < 1e-9 * max(1e-12, s0 * s2 * s4):
        return None
    a = (t0 * m0 - t1 * m1 + t2 * m2) / determinant
    b = (-t0 * m1 + t1 * (s0 * s4 - s2 * s2) - t2 * (s0 * s3 - s1 * s2)) / determinant
    c = (t0 * m2 - t1 * (s0 * s3 - s1 * s2) + t2 * (s0 * s2 - s1 * s1)) / determinant
    return a, b, c


def _along_chord(points: Sequence[GroundPoint]) -> tuple[list[float], list[float], float]:
    """Coordinates along and across the chord from the first to the last point, and the chord's direction."""
    first, last = points[0], points[-1]
    angle = atan2(last.y - first.y, last.x - first.x)
    c, s = cos(angle), sin(angle)
    along = [c * (p.x - first.x) + s * (p.y - first.y) for p in points]
    across = [c * (p.y - first.y) - s * (p.x - first.x) for p in points]
    return along, across, angle


def line_state(points: Sequence[GroundPoint], *, within_m: float) -> LineState | None:
    """Offset and heading of the line abreast of the vehicle, from the points that near; None if too few."""
    near = [p for p in points if hypot(p.x, p.y) <= within_m]
    if len(near) < 2 or near[-1].x - near[0].x < _TINY_M:
        return None
    fit = _quadratic([p.x for p in near], [p.y for p in near]) if len(near) > 2 else None
    if fit is None:
        slope = (near[-1].y - near[0].y) / (near[-1].x - near[0].x)
        fit = (near[0].y - slope * near[0].x, slope, 0.0)
    return LineState(offset_m=fit[0], heading_rad=atan2(fit[1], 1.0))


def bends(points: Sequence[GroundPoint], *, window_m: float) -> list[Bend]:
    """Curvature of every stretch of about ``window_m``: a parabola fitted over its chord, which averages noise out."""
    found: list[Bend] = []
    lengths = [0.0]
    for before, after in pairwise(points):
        lengths.append(lengths[-1] + hypot(after.x - before.x, after.y - before.y))
    start = 0
    for end in range(2, len(points)):
        if lengths[end] - lengths[0] < window_m and end < len(points) - 1:
            continue
        while end - start > 2 and lengths[end] - lengths[start + 1] >= window_m:
            start += 1
        along, across, _ = _along_chord(points[start : end + 1])
        fit = _quadratic(along, across)
        if fit is not None:
            middle = 0.5 * along[-1]
            slope = fit[1] + 2.0 * fit[2] * middle
            curvature = 2.0 * fit[2] / (1.0 + slope * slope) ** 1.5
            found.append(Bend(distance_m=0.5 * (lengths[start] + lengths[end]), curvature_1pm=curvature))
    return found
