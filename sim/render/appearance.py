"""How lines look: the styles people lay on floors, drawn at random for training or by name for driving."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Color, Mark, dashes, offset_path, strip

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStyle:
    """One painted line; ``gap_m`` 0 is solid, ``second`` makes hazard tape of two colours."""

    color: Color
    width_m: float = 0.025
    dash_m: float = 0.1
    gap_m: float = 0.0
    second: Color | None = None
    wear: float = 0.0
    offset_m: float = 0.0

    def marks(self, path: Points, *, phase_m: float = 0.0) -> list[Mark]:
        """Polygons in paint order."""
        if self.second is not None:
            return [
                Mark(
                    polygons=tuple(strip(path, width_m=self.width_m, offset_m=self.offset_m)),
                    color=self.second,
                    wear=self.wear,
                ),
                Mark(polygons=tuple(self._dashes(path, self.dash_m, phase_m)), color=self.color, wear=self.wear),
            ]
        if self.gap_m > 0:
            return [Mark(polygons=tuple(self._dashes(path, self.gap_m, phase_m)), color=self.color, wear=self.wear)]
        return [
            Mark(
                polygons=tuple(strip(path, width_m=self.width_m, offset_m=self.offset_m)),
                color=self.color,
                wear=self.wear,
            )
        ]

    def _dashes(self, path: Points, gap_m: float, phase_m: float) -> list[Points]:
        return dashes(
            path, width_m=self.width_m, dash_m=self.dash_m, gap_m=gap_m, phase_m=phase_m, offset_m=self.offset_m
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStyle:
    """What is painted along one path, in paint order, and what that makes of it for a follower."""

    shoulders: tuple[LineStyle, ...] = ()
    """Wide bands beside the road: the mat goes on in another colour."""
    road: LineStyle | None = None
    """A band as wide as the road, of another colour than the floor."""
    lines: tuple[LineStyle, ...] = ()
    has_line: bool = False
    """A marked line lies on the path: target ``line`` is defined."""
    has_lane: bool = False
    """Target ``lane`` is defined: the middle of a lane lies on the path, or beside it at ``lane_offset_m``."""
    lane_offset_m: float = 0.0

    @property
    def bands(self) -> tuple[LineStyle, ...]:
        """What lies under the lines."""
        return self.shoulders if self.road is None else (*self.shoulders, self.road)

    @property
    def borders(self) -> tuple[LineStyle, ...]:
        return tuple(line for line in self.lines if line.offset_m != 0)

    @property
    def edges(self) -> tuple[LineStyle, ...]:
        """The outermost lines, between which the way lies."""
        out = [abs(line.offset_m - self.lane_offset_m) for line in self.lines]
        far = max(out, default=0.0)
        return tuple(line for line, away in zip(self.lines, out, strict=True) if away > 0.8 * far)

    @property
    def half_way_m(self) -> float:
        """From the way's middle to the inner side of its edges; 0 without edges."""
        return min((abs(e.offset_m - self.lane_offset_m) - e.width_m / 2 for e in self.edges), default=0.0)


def _hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (blue * 255, green * 255, red * 255)


def random_paint(rng: np.random.Generator) -> Color:
    """Tape and paint as sold: white, black, yellow, orange, red, blue, green, or anything."""
    kind = rng.random()
    if kind < 0.25:
        return _hsv(float(rng.random()), float(rng.uniform(0, 0.12)), float(rng.uniform(0.7, 1.0)))
    if kind < 0.38:
        return _hsv(float(rng.random()), float(rng.uniform(0, 0.3)), float(rng.uniform(0.02, 0.25)))
    if kind < 0.6:
        return _hsv(float(rng.normal(0.14, 0.02)), float(rng.uniform(0.4, 1)), float(rng.uniform(0.5, 1)))
    if kind < 0.76:
        return _hsv(float(rng.normal(0.03, 0.03)), float(rng.uniform(0.5, 1)), float(rng.uniform(0.4, 1)))
    return _hsv(float(rng.random()), float(rng.uniform(0.3, 1)), float(rng.uniform(0.15, 1)))


def contrast(first: Color, second: Color) -> float:
    """Distance of two colours in grey levels, brightness counted twice as eyes and sensors do."""
    gap = np.asarray(first) - np.asarray(second)
    grey = float(gap @ np.array([0.114, 0.587, 0.299]))
    return float(np.sqrt(gap @ gap / 3 + grey * grey))


def paint_against(rng: np.random.Generator, floor: Color, *, least: float = 55.0) -> Color:
    """A random paint that can be told from the floor."""
    best = random_paint(rng)
    for _ in range(8):
        if contrast(best, floor) >= least:
            return best
        other = random_paint(rng)
        best = max(best, other, key=lambda paint: contrast(paint, floor))
    return best


def random_line(rng: np.random.Generator, floor: Color, scale: float, *, least: float = 45.0) -> LineStyle:
    """A line to follow: solid, dashed or hazard tape."""
    color = paint_against(rng, floor, least=least)
    width = float(np.exp(rng.uniform(np.log(0.012), np.log(0.085)))) * scale
    wear = float(rng.uniform(0.05, 0.45)) if rng.random() < 0.2 else 0.0
    kind = rng.random()
    if kind < 0.5:
        return LineStyle(color=color, width_m=width, wear=wear)
    dash = float(np.exp(rng.uniform(np.log(0.05), np.log(0.4)))) * scale
    if kind < 0.86:
        gap = dash * float(np.exp(rng.uniform(np.log(0.12), np.log(2.2))))
        return LineStyle(color=color, width_m=width, dash_m=dash, gap_m=min(gap, 0.35 * scale), wear=wear)
    black = _hsv(0.0, 0.0, float(rng.uniform(0.03, 0.2)))
    second = black if rng.random() < 0.6 else random_paint(rng)
    return LineStyle(
        color=color, second=second, width_m=width * 1.4, dash_m=float(rng.uniform(0.03, 0.1)) * scale, wear=wear
    )


def _borders(
    rng: np.random.Generator, floor: Color, half_m: float, scale: float, *, middle_m: float = 0.0
) -> tuple[LineStyle, LineStyle]:
    color = paint_against(rng, floor)
    width = float(np.exp(rng.uniform(np.log(0.012), np.log(0.16)))) * scale
    other = color if rng.random() < 0.8 else paint_against(rng, floor)
    gap = float(rng.uniform(0.05, 0.3)) * scale if rng.random() < 0.15 else 0.0
    dash = float(rng.uniform(0.08, 0.3)) * scale
    left = LineStyle(color=color, width_m=width, offset_m=middle_m + half_m, dash_m=dash, gap_m=gap)
    right = LineStyle(
        color=other, width_m=width, offset_m=middle_m - half_m, dash_m=dash, gap_m=0.0 if rng.random() < 0.5 else gap
    )
    return left, right


def _shoulders(
    rng: np.random.Generator, under: Color, half_m: float, scale: float, *, middle_m: float = 0.0
) -> tuple[LineStyle, ...]:
    """The ground beside the road, on one side or both, often white."""
    if rng.random() > 0.3:
        return ()
    grey = float(rng.uniform(170, 255))
    color = (grey, grey, grey) if rng.random() < 0.5 else paint_against(rng, under)
    sides = (-1.0, 1.0) if rng.random() < 0.5 else (float(rng.choice([-1, 1])),)
    bands = []
    for side in sides:
        width = float(rng.uniform(0.15, 1.0)) * scale
        bands.append(LineStyle(color=color, width_m=width, offset_m=middle_m + side * (half_m + width / 2)))
    return tuple(bands)


def random_line_style(rng: np.random.Generator, floor: Color, scale: float) -> TrackStyle:
    """A line, alone or between borders, on the floor or on a road of its own; not always in the lane's middle."""
    half = float(rng.uniform(0.12, 0.42)) * scale
    middle = float(rng.uniform(-0.6, 0.6)) * half if rng.random() < 0.35 else 0.0
    road = None
    under = floor
    if rng.random() < 0.3:
        under = paint_against(rng, floor, least=30.0)
        road = LineStyle(color=under, width_m=2 * half, offset_m=middle)
    lines: list[LineStyle] = []
    lane = road is not None
    if rng.random() < 0.5:
        borders = _borders(rng, under, half, scale, middle_m=middle)
        if rng.random() < 0.7:
            lines.extend(borders)
            lane = True
        else:
            lines.append(borders[int(rng.integers(2))])
            lane = False
    shoulders = _shoulders(rng, under, half, scale, middle_m=middle)
    if not lane and rng.random() < 0.2:  # the line parts two lanes of a wider road
        lines.extend(_lanes(rng, under, scale))
    line = random_line(rng, under, scale)
    # With its borders out of view a solid line looks like the border of a lane, which does not lie on it.
    lane = (lane or len(shoulders) == 2) and line.gap_m > 0
    return TrackStyle(
        shoulders=shoulders, road=road, lines=(*lines, line), has_line=True, has_lane=lane, lane_offset_m=middle
    )  # fmt: skip


def _lanes(rng: np.random.Generator, under: Color, scale: float) -> tuple[LineStyle, ...]:
    """Thin broken lines beside the one to follow, at even distances."""
    apart = float(rng.uniform(0.15, 0.4)) * scale
    sides = (-apart, apart) if rng.random() < 0.5 else (float(rng.choice([-apart, apart])),)
    color, width = paint_against(rng, under, least=40.0), float(rng.uniform(0.006, 0.02)) * scale
    dash = float(rng.uniform(0.04, 0.15)) * scale
    return tuple(LineStyle(color=color, width_m=width, dash_m=dash, gap_m=dash, offset_m=side) for side in sides)


def random_lane_style(rng: np.random.Generator, floor: Color, scale: float) -> TrackStyle:
    """Two borders or a filled road; inside, sometimes dashes that are not what to follow.

    The path may lie off the middle, so that one border is often out of view.
    """
    half = float(rng.uniform(0.12, 0.5)) * scale
    middle = float(rng.normal(0, 0.4)) * half if rng.random() < 0.6 else 0.0
    kind = rng.random()
    under, road = floor, None
    if kind < 0.45:
        under = paint_against(rng, floor, least=35.0)
        road = LineStyle(color=under, width_m=2 * half, offset_m=middle)
    lines = [] if kind < 0.2 else list(_borders(rng, under, half, scale, middle_m=middle))
    if rng.random() < 0.65:
        # Often pale beside the edges: what is strongest in the picture is not what to follow.
        inner = random_line(rng, under, scale, least=45.0 if rng.random() < 0.35 else 12.0)
        off = middle + float(rng.normal(0, 0.12)) * half
        lines.append(LineStyle(color=inner.color, width_m=min(inner.width_m, half * 0.3), dash_m=inner.dash_m,
                               gap_m=max(inner.gap_m, 0.05 * scale), offset_m=off))  # fmt: skip
    return TrackStyle(
        shoulders=_shoulders(rng, under, half, scale, middle_m=middle), road=road, lines=tuple(lines),
        has_line=False, has_lane=True, lane_offset_m=middle,
    )  # fmt: skip


def own_distractor(rng: np.random.Generator, path: Points, style: LineStyle, scale: float) -> list[Mark]:
    """A fork or a crossing in the line's own paint: the line is what goes on straightest."""
    # At a fork the way is hardest to tell. Behind it, it is the branch that the robot stands on.
    on_it = bool(np.hypot(path[:, 0], path[:, 1]).min() < 0.12 * scale)
    at = int(rng.integers(len(path) // 8 if on_it else len(path) // 5, len(path) // 2))
    tangent = path[at + 1] - path[at]
    heading = float(np.arctan2(tangent[1], tangent[0]))
    if rng.random() < 0.4:
        angle = heading + float(rng.uniform(np.pi / 4, 3 * np.pi / 4))
        reach = np.arange(-float(rng.uniform(0, 1.2)), float(rng.uniform(0.1, 1.2)), 0.02)[:, None] * scale
        return style.marks(path[at] + reach * np.array([np.cos(angle), np.sin(angle)]))
    # Where the path itself turns within 0.4 m the branch turns to the other side: there only is it told which is which.
    on = path[min(at + round(0.4 * scale / 0.02), len(path) - 2) :][:2]
    turned = float(np.arctan2(*(on[1] - on[0])[::-1])) - heading
    turned = (turned + np.pi) % (2 * np.pi) - np.pi
    side = -float(np.sign(turned)) if abs(turned) > 0.15 else float(rng.choice([-1, 1]))
    bends = heading + np.arange(int(rng.integers(15, 70))) * side * 0.02 / (float(rng.uniform(0.2, 0.7)) * scale)
    return style.marks(path[at] + np.cumsum(np.stack([np.cos(bends), np.sin(bends)], axis=1) * 0.02, axis=0))


def crossing_path(rng: np.random.Generator, path: Points, scale: float) -> Points:
    """(N, 2) points of a straight way over ``path``, ahead of the robot."""
    at = int(rng.integers(len(path) // 4, len(path) // 2))
    tangent = path[at + 1] - path[at]
    angle = float(np.arctan2(tangent[1], tangent[0]) + rng.uniform(np.pi / 4, 3 * np.pi / 4))
    reach = np.arange(-2.0, 2.0, 0.04)[:, None] * scale
    return np.asarray(path[at] + reach * np.array([np.cos(angle), np.sin(angle)]))


def distractor(rng: np.random.Generator, path: Points, floor: Color, scale: float) -> list[Mark]:
    """A line that is not the one to follow: crossing, parallel far off, a fork, a cable, a stray patch."""
    kind = rng.random()
    style = LineStyle(color=paint_against(rng, floor, least=30.0), width_m=float(rng.uniform(0.008, 0.05)) * scale,
                      gap_m=0.1 * scale if rng.random() < 0.3 else 0.0)  # fmt: skip
    at = int(rng.integers(len(path) // 4, len(path) // 2))
    if kind < 0.25:  # a parallel line, far enough to be another one
        side = float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.8)) * scale
        return style.marks(offset_path(path, side))
    if kind < 0.5:  # a straight line across the floor
        angle = float(rng.uniform(0, np.pi))
        reach = np.linspace(-2.5, 2.5, 120)[:, None] * np.array([np.cos(angle), np.sin(angle)])
        return style.marks(path[at] + reach + rng.normal(0, 0.25, 2) * scale)
    if kind < 0.68:  # a branch that leaves the path
        bend = float(rng.choice([-1, 1]) * rng.uniform(0.8, 4.0)) / scale
        tangent = path[at + 1] - path[at]
        heading = np.arctan2(tangent[1], tangent[0]) + float(rng.normal(0, 0.3)) + np.cumsum(np.full(70, bend * 0.02))
        return style.marks(path[at] + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * 0.02, axis=0))
    center = np.array([rng.uniform(0.1, 1.6), rng.uniform(-0.8, 0.8)]) * scale
    if kind < 0.85:  # a cable, thin and winding
        heading = float(rng.uniform(0, 2 * np.pi)) + np.cumsum(rng.normal(0, 0.25, 60))
        walked = center + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * 0.02, axis=0) * scale
        return [Mark(polygons=tuple(strip(walked, width_m=0.006 * scale)), color=style.color)]
    if kind < 0.93:  # an island: a rounded patch, filled
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        oval = np.stack([np.cos(turn), np.sin(turn)], axis=1) * rng.uniform(0.1, 0.6, 2) * scale
        away = np.array([1.0, float(rng.choice([-1, 1]))]) * rng.uniform(0.2, 0.6) * scale
        return [Mark(polygons=(path[at] + away + oval,), color=style.color)]
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
    radii = rng.uniform(0.03, 0.3, len(angles)) * scale
    blob = center + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    return [Mark(polygons=(blob,), color=style.color)]
