"""The named appearances to drive in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from control.errors import InputError
from control.messages import Target
from sim.render.appearance import LineStyle, TrackStyle
from sim.render.ground import Color
from sim.render.sensor import SensorSettings

_IMX219 = SensorSettings(corner_cast=(0.85, 0.7, 1.0), noise=3.0, blur_px=0.6, flicker=0.03, jpeg_quality=85)
"""The pink corners of a wide IMX219 lens, a little noise and lamp flicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    floor: str
    """Name of a shipped tile."""
    wall: str = "Plaster_001"
    brightness: float = 1.0
    style: TrackStyle
    sensor: SensorSettings = field(default_factory=SensorSettings)
    distractors: int = 0
    """Forks and crossing lines in ten metres of track."""
    clutter: int = 0
    """Things that stand or lie beside ten metres of track, unless the world is told another number."""

    @property
    def target(self) -> Target:
        """What it is meant to be followed by."""
        return "line" if self.style.has_line else "lane"


def _borders(color: Color, *, apart_m: float, width_m: float = 0.025) -> tuple[LineStyle, LineStyle]:
    """Two solid lines whose middles lie ``apart_m`` from each other."""
    left = LineStyle(color=color, width_m=width_m, offset_m=apart_m / 2)
    return left, replace(left, offset_m=-apart_m / 2)


_SUN = SensorSettings(
    exposure=1.25, contrast=1.15, corner_cast=(0.9, 0.8, 1.0), noise=1.5, blur_px=0.5, jpeg_quality=85
)
"""A bright day: hard contrast, little noise, no lamp that flickers."""


_WHITE, _BLACK, _YELLOW, _ORANGE = (235.0, 238.0, 240.0), (28.0, 28.0, 30.0), (40.0, 200.0, 235.0), (30.0, 110.0, 235.0)
_BRICK, _ASPHALT = (62.0, 70.0, 165.0), (88.0, 86.0, 84.0)
LOOKS: dict[str, Look] = {
    "white-tape": Look(
        floor="Wood_010",
        style=TrackStyle(lines=(LineStyle(color=_WHITE, width_m=0.025),), has_line=True),
        sensor=_IMX219,
    ),
    "yellow-dashes": Look(
        floor="Asphalt_010",
        style=TrackStyle(lines=(LineStyle(color=_YELLOW, width_m=0.03, dash_m=0.12, gap_m=0.06),), has_line=True),
        sensor=_IMX219,
    ),
    "black-tape": Look(
        floor="Tiles_010",
        brightness=1.3,
        style=TrackStyle(lines=(LineStyle(color=_BLACK, width_m=0.035),), has_line=True),
        sensor=_IMX219,
    ),
    "hazard-tape": Look(
        floor="Concrete_010",
        style=TrackStyle(lines=(LineStyle(color=_YELLOW, second=_BLACK, width_m=0.05, dash_m=0.05),), has_line=True),
        sensor=_IMX219,
    ),
    "orange-dashes": Look(
        floor="Rubber_001",
        style=TrackStyle(lines=(LineStyle(color=_ORANGE, width_m=0.03, dash_m=0.1, gap_m=0.04),), has_line=True),
        sensor=_IMX219,
    ),
    "worn-paint": Look(
        floor="Concrete_016",
        style=TrackStyle(lines=(LineStyle(color=_WHITE, width_m=0.05, wear=0.4),), has_line=True),
        sensor=_IMX219,
        clutter=5,
    ),
    "white-dashes": Look(
        floor="Wood_020",
        style=TrackStyle(lines=(LineStyle(color=_WHITE, width_m=0.025, dash_m=0.1, gap_m=0.08),), has_line=True),
        sensor=_IMX219,
        clutter=8,
    ),
    "bordered-line": Look(
        floor="Asphalt_020",
        style=TrackStyle(
            lines=(
                *_borders(_WHITE, apart_m=0.4),
                LineStyle(color=_YELLOW, width_m=0.025, dash_m=0.12, gap_m=0.08),
            ),
            has_line=True,
            has_lane=True,
        ),
        sensor=_IMX219,
        clutter=5,
    ),
    "edge-lines": Look(
        floor="WoodFloor_040",
        style=TrackStyle(lines=_borders(_BLACK, apart_m=0.36, width_m=0.03), has_lane=True),
        sensor=_IMX219,
        clutter=8,
    ),
    "red-road": Look(
        floor="Tiles_040",
        style=TrackStyle(road=LineStyle(color=_BRICK, width_m=0.36), has_lane=True),
        sensor=_IMX219,
        clutter=8,
    ),
    "street": Look(
        floor="Grass_001",
        wall="Bricks_010",
        style=TrackStyle(
            road=LineStyle(color=_ASPHALT, width_m=0.5),
            lines=_borders(_WHITE, apart_m=0.42, width_m=0.03),
            has_lane=True,
        ),
        sensor=_SUN,
        clutter=4,
    ),
    "forks": Look(
        floor="WoodFloor_010",
        style=TrackStyle(lines=(LineStyle(color=_WHITE, width_m=0.025),), has_line=True),
        sensor=_IMX219,
        distractors=5,
        clutter=5,
    ),
}


def find_look(name: str) -> Look:
    """Raises InputError with the nearest known name."""
    if name in LOOKS:
        return LOOKS[name]
    near = get_close_matches(name, LOOKS, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise InputError(f"unknown look '{name}'{hint} (known: {', '.join(LOOKS)})")
